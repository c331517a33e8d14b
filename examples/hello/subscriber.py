# SPDX-License-Identifier: MIT

import gi

gi.require_version('Shnd', '1')
from gi.repository import Shnd

for frame in Shnd.Subscriber.new('hello-frames'):
    print(frame.sequence, frame.array[0, 0, 0])
