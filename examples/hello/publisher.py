# SPDX-License-Identifier: MIT

import gi

gi.require_version('Shnd', '1')
from gi.repository import Shnd

with Shnd.Publisher.new('hello-frames', overflow=Shnd.Overflow.BLOCK) as publisher:
    publisher.wait_subscribers(1)
    for number in range(1, 101):
        with publisher.acquire('uint8', (480, 640, 3)) as frame:
            frame.array[...] = number
