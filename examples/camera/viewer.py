# SPDX-License-Identifier: MIT
"""Receives frames until there are no more, and compares each with its checksum:
viewer.py ADDRESS.
"""

import hashlib
import sys

import gi

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

subscriber = Shnd.Subscriber.new(sys.argv[1])
first = n_received = n_wrong = 0

for frame in subscriber:
    with frame:
        first = first or frame.sequence
        n_received += 1
        n_wrong += hashlib.sha1(frame.array.data).hexdigest() != frame.metadata['checksum']

print(f'received {n_received}, missed {subscriber.n_missed}, wrong {n_wrong}, from {first}')
sys.exit(n_wrong > 0)
