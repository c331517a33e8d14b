// SPDX-License-Identifier: MIT

import Shnd from 'gi://Shnd?version=1';

for await (const {array} of Shnd.Subscriber.new('cam0', {latest_only: true})) {
    const pixels = array.toTypedArray();
    print(array.shape, pixels.reduce((sum, value) => sum + value) / pixels.length);
}
