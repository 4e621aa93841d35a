"""All errands, those that cost little first: a call site is tried where it is met first."""

from . import errands_deploy, errands_dns, errands_look, errands_renew, errands_run

ALL = (*errands_look.LOOKS, *errands_dns.ERRANDS, *errands_renew.ERRANDS,
       *errands_deploy.ERRANDS, *errands_run.ERRANDS, *errands_look.WITH_ORDERS)
