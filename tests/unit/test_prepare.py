"""What prepared data rest on: every module that prepares them is in the hash by which a stale county is known."""

import grimp

from huying.clean.intake import PREPARE
from huying.store import code_hash


def test_every_module_that_prepares_is_hashed():
    used = grimp.build_graph("huying").find_upstream_modules("huying.prepare")
    paths = {name.removeprefix("huying.").replace(".", "/") + ".py" for name in used}
    assert not {path for path in paths if not path.startswith(PREPARE)}


def test_some_rooms_or_all():
    assert code_hash("clean/") != code_hash("sources/") != code_hash()
    assert code_hash(*PREPARE) == code_hash(*PREPARE)
