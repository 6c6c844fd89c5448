"""How forms look: label above, hint below it, error with a word and not by colour alone."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Every `{{ form }}` comes out in the console's own markup."""

    form_template_name = "kit/form.html"
    field_template_name = "kit/field.html"
