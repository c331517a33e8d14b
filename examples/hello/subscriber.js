// SPDX-License-Identifier: MIT

import Shnd from 'gi://Shnd?version=1';

for await (const frame of Shnd.Subscriber.new('hello-frames'))
    print(frame.sequence, frame.array.at(0, 0, 0));
