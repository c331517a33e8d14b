// SPDX-License-Identifier: MIT

// Draws on each frame of a stream, and publishes the result: overlay.js FROM TO. Wants frames of
// shape (height, width, 3 or 4) and dtype u1, without gaps between the rows.

import Cairo from 'cairo';
import Gdk from 'gi://Gdk?version=4.0';
import GdkPixbuf from 'gi://GdkPixbuf?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';
import System from 'system';

function checkPicture({dtype, shape}) {
    if (dtype.to_string() !== '|u1' || shape.length !== 3 || ![3, 4].includes(shape[2]))
        throw new Error(`expected (height, width, 3 or 4) of |u1, not (${shape}) of ${dtype}`);
}

// A ring that goes round once in 60 frames, and what there is to say in a band below.
function draw(cr, width, height, {sequence, timestamp}) {
    const angle = (sequence % 60) * Math.PI / 30;

    cr.setLineWidth(height / 60);
    cr.setSourceRGBA(1, 1, 1, 0.4);
    cr.arc(width / 2, height / 2, height / 4, 0, 2 * Math.PI);
    cr.stroke();
    cr.setSourceRGB(1, 0.7, 0);
    cr.arc(width / 2, height / 2, height / 4, angle, angle + Math.PI / 3);
    cr.stroke();

    cr.setSourceRGBA(0, 0, 0, 0.6);
    cr.rectangle(0, height * 7 / 8, width, height / 8);
    cr.fill();
    cr.setSourceRGB(1, 1, 1);
    cr.setFontSize(height / 16);
    cr.moveTo(height / 20, height * 23 / 24);
    cr.showText(`frame ${sequence} at ${(Number(timestamp) / 1e9).toFixed(2)} s`);
}

// GJS lets Cairo draw on memory of its own only: so a picture is copied in there, and out again.
function paint(cr, array) {
    const [height, width, nChannels] = array.shape;
    const pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(array.get_bytes(), GdkPixbuf.Colorspace.RGB,
        nChannels === 4, 8, width, height, width * nChannels);

    Gdk.cairo_set_source_pixbuf(cr, pixbuf, 0, 0);
    cr.paint();
}

if (ARGV.length !== 2) {
    printerr('expected the address to read from, and the address to publish at');
    System.exit(2);
}

const subscriber = Shnd.Subscriber.new(ARGV[0]);
const publisher = Shnd.Publisher.new(ARGV[1]);
let nDrawn = 0;

// Ctrl-C ends the stream as well, and not the script alone.
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, 2, () => {
    publisher.close();
    System.exit(0);
});

for await (const frame of subscriber) {
    checkPicture(frame.array);
    const [height, width] = frame.array.shape;
    const surface = new Cairo.ImageSurface(Cairo.Format.ARGB32, width, height);
    const cr = new Cairo.Context(surface);
    paint(cr, frame.array);
    draw(cr, width, height, frame);
    cr.$dispose();

    const drawn = Gdk.pixbuf_get_from_surface(surface, 0, 0, width, height);
    const result = publisher.acquire(Uint8Array, [height, width, 4]);
    result.array.write_bytes(drawn.read_pixel_bytes());
    publisher.publish(result, {timestamp: frame.timestamp});

    // The collector does not know how large surfaces and pixbufs are, and would let them pile up.
    if (++nDrawn % 10 === 0)
        System.gc();
}
publisher.close();
