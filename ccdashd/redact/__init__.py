"""Takes secrets, mail addresses and names of home folders out of texts and of records of logs. Pure.

What is found gives way to ``[redacted:<kind>]``, in paths to a folder ``user``, so that paths stay paths and still name the
same projects. Ids and hashes stay, so that records still belong together. What no rule knows stays too: a text is not free
of secrets because none was found.
"""

from ccdashd.redact.redactor import Redactor

__all__ = ["Redactor"]
