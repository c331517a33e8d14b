// SPDX-License-Identifier: MIT

/* Turns a shared photo into an old print, in place: sepia, darker towards the corners, with a white
 * border. Each row is read from the shared memory, and written back to where it was. */

import GdkPixbuf from 'gi://GdkPixbuf';
import GLib from 'gi://GLib';
import Shnd from 'gi://Shnd?version=1';
import System from 'system';

import {serve} from './proof.js';

const BORDER = 18;
const EDGE = 2;
const PAPER = [247, 243, 234];
const INK = [58, 44, 32];

let start = GLib.get_monotonic_time();

function report(text) {
    const took = (GLib.get_monotonic_time() - start) / 1000;
    print(`${text.padEnd(60)} ${took.toFixed(2).padStart(8)} ms`);
    start = GLib.get_monotonic_time();
}

/* The colours of brightness 0 to 255 on an old print: brown ink on paper. */
function makeTones() {
    return Array.from({length: 256}, (_, brightness) => {
        const amount = (brightness / 255) ** 0.9;
        return INK.map((ink, i) => ink + amount * (PAPER[i] - ink));
    });
}

/* One row of RGB pixels as it is to look. */
function printRow(row, y, width, height, tones) {
    const result = new Uint8Array(row.length);

    for (let x = 0; x < width; x++) {
        const i = 3 * x;
        const depth = Math.min(x, y, width - 1 - x, height - 1 - y) - BORDER;

        if (depth < 0) {
            result.set(PAPER, i);
        } else if (depth < EDGE) {
            result.set(INK, i);
        } else {
            const brightness = 0.299 * row[i] + 0.587 * row[i + 1] + 0.114 * row[i + 2];
            const right = 2 * x / (width - 1) - 1;
            const down = 2 * y / (height - 1) - 1;
            const light = 1 - 0.16 * (right * right + down * down) ** 2;
            const tone = tones[Math.round(brightness)];

            for (let channel = 0; channel < 3; channel++)
                result[i + channel] = Math.round(light * tone[channel]);
        }
    }

    return result;
}

/* Returns a checksum of what was written, taken before it was shared. */
function printPhoto(photo) {
    const [height, width] = photo.shape;
    const tones = makeTones();
    const checksum = new GLib.Checksum(GLib.ChecksumType.SHA256);

    for (let y = 0; y < height; y++) {
        const row = photo.index(0, y);
        const result = printRow(row.toTypedArray(), y, width, height, tones);
        row.assign(result);
        checksum.update(result);
    }

    return checksum.get_string();
}

function run(name, path, prove) {
    const photo = Shnd.Array.open(name);
    const [height, width, nChannels] = photo.shape;

    if (photo.dtype.toString() !== '|u1' || photo.n_dims !== 3 || nChannels !== 3)
        throw new Error(`${name} is no photo: expected uint8 with shape (height, width, 3)`);
    report('opened the photo, to read and write');

    const checksum = printPhoto(photo);
    report(`printed ${width * height} pixels in brown ink, in place`);

    GdkPixbuf.Pixbuf.new_from_bytes(photo.get_bytes(), GdkPixbuf.Colorspace.RGB, false, 8,
        width, height, 3 * width).savev(path, 'png', [], []);
    report(`wrote ${GLib.path_get_basename(path)}`);

    if (prove) {
        print(`proof ${name} computed ${checksum}`);
        serve([photo]);
    }
}

const words = System.programArgs.filter(word => word !== '--prove');

if (words.length === 2) {
    run(words[0], words[1], System.programArgs.includes('--prove'));
} else {
    printerr('photo.js: expected PHOTO FILE.png');
    System.exit(1);
}
