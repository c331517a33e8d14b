# SPDX-License-Identifier: MIT

import gi

gi.require_version('Shnd', '1')
from gi.repository import Shnd

made = Shnd.Array.new('hello-python', 'float32', (2, 3))
made[1, 2] = 42

opened = Shnd.Array.open('hello-python')
print(f'{opened.name}: {opened[1, 2]:g}')
