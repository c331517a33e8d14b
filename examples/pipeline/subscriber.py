# SPDX-License-Identifier: MIT

import gi

gi.require_version('Shnd', '1')
from gi.repository import Shnd

for frame in Shnd.Subscriber.new('cam0'):
    print(frame.sequence, frame.array.shape, frame.array[...].mean())
