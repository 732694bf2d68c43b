"""A process that dies before it answers, in place of the worker."""

import os

os._exit(3)
