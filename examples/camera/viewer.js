// SPDX-License-Identifier: MIT

// Receives frames until there are no more, and compares each with its checksum:
// viewer.js ADDRESS [FILE.png]. Writes the first one into the file.

import GdkPixbuf from 'gi://GdkPixbuf?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';
import System from 'system';

function writePicture(array, path) {
    const [height, width] = array.shape;
    GdkPixbuf.Pixbuf.new_from_bytes(array.get_bytes(), GdkPixbuf.Colorspace.RGB, true, 8,
        width, height, 4 * width).savev(path, 'png', [], []);
}

const [address, path] = ARGV;
const subscriber = Shnd.Subscriber.new(address);
let first = 0, nReceived = 0, nWrong = 0;

for await (const frame of subscriber) {
    first ||= frame.sequence;
    nReceived++;

    const bytes = frame.array.get_bytes();
    if (GLib.compute_checksum_for_bytes(GLib.ChecksumType.SHA1, bytes) !== frame.metadata.checksum)
        nWrong++;
    if (path && nReceived === 1)
        writePicture(frame.array, path);
}

print(`received ${nReceived}, missed ${subscriber.n_missed}, wrong ${nWrong}, from ${first}`);
System.exit(nWrong > 0 ? 1 : 0);
