"""Imported by a tester's nursery, once: what a nursery of media workers loads before it forks one."""

from callcenter.media.mediad.worker import warm_up

warm_up("auto")
