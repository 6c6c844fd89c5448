"""Contact messages: what a visitor writes, the conversation it becomes, and the operator's answer."""
