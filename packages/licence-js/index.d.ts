export type Reason =
  | "unreadable"
  | "unknown-version"
  | "unknown-key"
  | "altered"
  | "other-product"
  | "expired"
  | "revoked"
  | "list-unreadable"
  | "list-unknown-key"
  | "list-altered"
  | "list-older";

export const REASONS: Readonly<Record<Reason, string>>;

export class LicenceRefused extends Error {
  readonly reason: Reason;
}

/** Days are texts such as "2026-11-30". */
export interface Licence {
  readonly id: string;
  readonly key: string;
  readonly product: string;
  readonly edition: string;
  readonly order: string;
  /** 0: any number. */
  readonly seats: number;
  readonly issued: string;
  /** The last day; null: it does not expire. */
  readonly validUntil: string | null;
  /** Versions released until this day are included; null: all. */
  readonly updatesUntil: string | null;
  /** The id of the licence that this one replaces, or "". */
  readonly upgradeOf: string;
}

export interface Revocations {
  readonly number: number;
  readonly issued: string;
  readonly licences: ReadonlySet<string>;
}

export class Verifier {
  /** `keys`: public keys in base64. `product`: the only one that is accepted; null: any, and the caller looks. */
  constructor(keys: readonly string[], options: { product: string | null });
  verify(text: string, options?: { today?: string; revocations?: Revocations | null }): Promise<Licence>;
  revocations(text: string, options?: { atLeast?: number }): Promise<Revocations>;
}

export function updatesCover(licence: Licence, released: string): boolean;
