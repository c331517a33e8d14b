// SPDX-License-Identifier: MIT

// Adds to a tally that other processes add to as well: worker NAME ROUNDS.

async uint work (string name, int rounds) throws Error {
    var tally = yield Shnd.Array.open_wait_async (name, Shnd.Access.READ_WRITE,
                                                  10 * TimeSpan.SECOND, null);
    uint n_recovered = 0;

    for (int i = 0; i < rounds; i++) {
        bool recovered;
        yield tally.lock_async (10 * TimeSpan.SECOND, null, out recovered);

        // Counts twice; who dies in between leaves the two numbers unequal.
        if (recovered) {
            tally.set_int64 ({ 1 }, tally.get_int64 ({ 0 }));
            n_recovered++;
        }
        assert (tally.get_int64 ({ 0 }) == tally.get_int64 ({ 1 }));
        tally.set_int64 ({ 0 }, tally.get_int64 ({ 0 }) + 1);
        tally.set_int64 ({ 1 }, tally.get_int64 ({ 1 }) + 1);
        tally.update ();
        tally.unlock ();
    }

    return n_recovered;
}

int main (string[] args) {
    var loop = new MainLoop ();
    int status = 0;

    work.begin (args[1], int.parse (args[2]), (object, result) => {
        try {
            print ("Vala: done, recovered %u\n", work.end (result));
        } catch (Error error) {
            printerr ("%s\n", error.message);
            status = 1;
        }
        loop.quit ();
    });
    loop.run ();

    return status;
}
