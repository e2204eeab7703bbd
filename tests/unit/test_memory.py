"""What a process frees it keeps, unless the user says otherwise."""

import pytest

from rarl.runtime.memory import keep_freed


def test_freed_memory_is_kept_where_there_is_glibc(monkeypatch: pytest.MonkeyPatch):
    for name in ("GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")  # has nothing to do with it
    assert keep_freed()


@pytest.mark.parametrize("name", ["GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"])
def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, "1")
    assert not keep_freed()
