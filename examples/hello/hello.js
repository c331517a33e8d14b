// SPDX-License-Identifier: MIT

import Shnd from 'gi://Shnd?version=1';

const made = Shnd.Array.new('hello-js', Float32Array, [2, 3]);
made.setAt(42, 1, 2);

const opened = Shnd.Array.open('hello-js');
print(`${opened.name}: ${opened.at(1, 2)}`);
