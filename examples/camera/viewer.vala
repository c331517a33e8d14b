// SPDX-License-Identifier: MIT

// Receives frames until there are no more, and compares each with its checksum: viewer ADDRESS.

bool is_right (Shnd.Frame frame) throws Error {
    string expected;
    var checksum = Checksum.compute_for_bytes (ChecksumType.SHA1, frame.array.get_bytes ());

    return frame.metadata.lookup ("checksum", "s", out expected) && checksum == expected;
}

/* Returns whether all frames were right. */
async bool view (string address) throws Error {
    uint64 first = 0, n_received = 0, n_wrong = 0;
    var subscriber = new Shnd.Subscriber (address);

    try {
        while (true) {
            var frame = yield subscriber.receive_async ();

            if (n_received++ == 0)
                first = frame.sequence;
            n_wrong += is_right (frame) ? 0 : 1;
        }
    } catch (Shnd.Error.END_OF_STREAM error) {
        print (@"received $n_received, missed $(subscriber.n_missed), wrong $n_wrong, " +
               @"from $first\n");
    }

    return n_wrong == 0;
}

int main (string[] args) {
    var loop = new MainLoop ();
    int status = 1;

    view.begin (args[1], (object, result) => {
        try {
            status = view.end (result) ? 0 : 1;
        } catch (Error error) {
            printerr ("%s\n", error.message);
        }
        loop.quit ();
    });
    loop.run ();

    return status;
}
