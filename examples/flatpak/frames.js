#!/usr/bin/gjs -m
// SPDX-License-Identifier: MIT

// An app in a sandbox that shows frames from the host, until that ends the stream.

import GLib from 'gi://GLib?version=2.0';
import Gdk from 'gi://Gdk?version=4.0';
import Gtk from 'gi://Gtk?version=4.0';
import Shnd from 'gi://Shnd?version=1';

const id = GLib.getenv('FLATPAK_ID') ?? 'org.example.Frames';

// The one folder that host and sandbox share without a permission.
const address = GLib.build_filenamev([GLib.get_user_runtime_dir(), 'app', id, 'frames']);

const app = new Gtk.Application({application_id: id});
const subscriber = Shnd.Subscriber.new(address, {latest_only: true});
let shown = null;

function show(picture, frame) {
    const [height, width] = frame.array.shape;
    picture.paintable = Gdk.MemoryTexture.new(width, height, Gdk.MemoryFormat.R8G8B8,
        frame.array.get_bytes(), width * 3);

    // The one before was on the screen until now.
    shown?.release();
    shown = frame;
}

app.connect('activate', () => {
    const picture = new Gtk.Picture();
    const window = new Gtk.ApplicationWindow({
        application: app,
        title: 'Frames from the host',
        default_width: 640,
        default_height: 360,
        child: picture,
    });

    subscriber.connect('frame', (_, frame) => show(picture, frame));
    subscriber.connect('ended', (_, error) => {
        print(`${error.message}; ${subscriber.n_received} frames were received`);
        app.quit();
    });
    window.present();
});
app.run([]);
