// SPDX-License-Identifier: MIT

// What testProcesses.js runs in another process.

import Shnd from 'gi://Shnd?version=1';
import System from 'system';

const [command, name, ...args] = ARGV;

if (command === 'add') {
    const array = Shnd.Array.open(name);
    const values = array.toTypedArray();
    const sum = values.reduce((a, b) => a + b, 0);

    array.assign(values.map(value => value + Number(args[0])));
    print(`shape ${array.shape} dtype ${array.dtype} sum ${sum}`);
} else if (command === 'make') {
    Shnd.Array.new_from_typed_array(name, Float64Array.of(0.5, 1.5, 2.5), [3],
        Shnd.CreateFlags[args[0] ?? 'NONE']);
    print('made');
} else if (command === 'scribble') {
    const array = Shnd.Array.open(name, Shnd.Access.READ);

    array.toTypedArray().fill(99);
    array.get_bytes().toArray().fill(99);
    array.get_memory()[0].toArray().fill(99);
    System.gc();
    print(array.toTypedArray().every((value, i) => value === i + 1) ? 'alive' : 'changed');
} else {
    throw new Error(`Unknown command ${command}`);
}
