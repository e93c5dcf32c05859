"""Libraries log nothing that a user cannot act on."""

import logging

import learning


def test_bitsandbytes_does_not_warn_about_an_optional_kernel_package() -> None:
    assert learning.__doc__
    for name in ("bitsandbytes", "bitsandbytes.backends.cpu.ops", "bitsandbytes.cextension"):
        assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
