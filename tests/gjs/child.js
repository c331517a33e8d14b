// SPDX-License-Identifier: MIT

// What testProcesses.js runs as a script with `imports` rather than a module.

imports.gi.versions.Shnd = '1';
const {Shnd} = imports.gi;

const array = Shnd.Array.open(ARGV[0]);

print(`${Shnd.DType.new(Float64Array)} ${[...array]}`);
array.setAt(99, 2);
