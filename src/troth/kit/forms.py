"""Renders forms: label above, hint below, errors in words and not by colour alone."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Render every `{{ form }}` in the console's own markup."""

    form_template_name = "kit/form.html"
    field_template_name = "kit/field.html"
