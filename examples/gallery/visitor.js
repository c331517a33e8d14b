// SPDX-License-Identifier: MIT

// Looks at the pictures of a gallery, and at one while it is changed: visitor.js NAME.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

const GALLERY = ['org.example.Gallery', '/org/example/Gallery', 'org.example.Gallery'];
const bus = Gio.bus_get_sync(Gio.BusType.SESSION, null);

function call(method, ...names) {
    return bus.call_with_unix_fd_list_sync(...GALLERY, method,
        new GLib.Variant(`(${'s'.repeat(names.length)})`, names), null, Gio.DBusCallFlags.NONE, -1,
        null, null);
}

function getArray(name) {
    return Shnd.Array.new_from_variant(...call('GetArray', name));
}

/* The mean of the colours; a fourth channel is how opaque the pixels are. */
function getMean(picture) {
    const nChannels = picture.shape[2];
    const colours = picture.toTypedArray().filter((_, i) => i % nChannels < 3);

    return (colours.reduce((sum, colour) => sum + colour, 0) / colours.length).toFixed(3);
}

for (const name of call('ListArrays')[0].deepUnpack()[0]) {
    const picture = getArray(name);
    print(`JavaScript: ${name} (${picture.shape.join(', ')}), mean ${getMean(picture)}`);
    // The collector does not know how large it is.
    picture.close();
}

const picture = getArray(ARGV[0]);
try {
    picture.setAt(255, 0, 0, 0);
} catch (error) {
    print(`JavaScript: ${error.message}`);
}

const loop = new GLib.MainLoop(null, false);
bus.signal_subscribe(GALLERY[0], GALLERY[2], 'Changed', GALLERY[1], ARGV[0],
    Gio.DBusSignalFlags.NONE, () => loop.quit());
print('JavaScript: waiting');
loop.run();

// The same array, which was not fetched again.
print(`JavaScript: ${ARGV[0]} has changed, mean ${getMean(picture)}`);
