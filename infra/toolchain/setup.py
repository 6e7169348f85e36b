"""Provisions the pinned toolchain: servers, Node, TensorFlow's libraries, npm packages, the native addon.

Run by `make setup`; takes well under a second when nothing has changed. Everything that is downloaded is checked
against the hashes in the lock files of this folder, and kept in a cache outside the checkout.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from provisioning.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
