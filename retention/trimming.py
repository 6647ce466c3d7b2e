"""Text counts without what surrounds it; Python and PostgreSQL agree on what that is."""

from typing import Final

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Length

# All that Python calls space, and the characters without a width.
BLANKS: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)


def trimmed(text: str) -> str:
    """The text as it is stored."""
    return text.strip(BLANKS)


def trimmed_length(column: str) -> Length:
    """Its characters, for a constraint: PostgreSQL's own trim knows the blank alone."""
    return Length(Func(F(column), Value(BLANKS), function="btrim", output_field=TextField()))
