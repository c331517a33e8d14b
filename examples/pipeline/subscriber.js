// SPDX-License-Identifier: MIT

import Shnd from 'gi://Shnd?version=1';

for await (const {array, sequence} of Shnd.Subscriber.new('cam0')) {
    const pixels = array.toTypedArray();
    print(sequence, array.shape, pixels.reduce((sum, value) => sum + value) / pixels.length);
}
