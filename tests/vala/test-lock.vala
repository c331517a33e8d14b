// SPDX-License-Identifier: MIT

// The lock, the change counter, names and descriptors.

Shnd.Array make_array (string? name = null) throws Error {
    return new Shnd.Array (name, new Shnd.DType ("i4"), { 4 });
}

delegate void AsyncBody (owned SourceFunc done);

/* Runs the main loop until an asynchronous test calls `done`. */
void run_loop (AsyncBody begin) {
    var loop = new MainLoop ();
    begin (() => {
        loop.quit ();
        return Source.REMOVE;
    });
    loop.run ();
}

void check_cancelled (owned TestBody body) {
    try {
        body ();
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    } catch (Error error) {
        Test.message ("%s", error.message);
        Test.fail ();
    }
}

void test_lock () throws Error {
    var array = make_array ();
    var view = array.slice (0, 1, 3);
    bool recovered;

    assert_true (array.lock ());
    assert_true (array.locked);
    assert_true (array.get_locked ());
    assert_true (!view.locked);
    check_throws (() => view.lock (0), Shnd.Error.TIMED_OUT);
    check_throws (() => view.lock (20000), Shnd.Error.TIMED_OUT);
    check_throws (() => view.lock (-2), Shnd.Error.INVALID_ARGUMENT);
    check_throws (() => view.unlock (), Shnd.Error.NOT_LOCKED);
    assert_true (array.unlock ());

    assert_true (view.lock (-1, null, out recovered));
    assert_true (!recovered);
    var cancellable = new Cancellable ();
    cancellable.cancel ();
    check_cancelled (() => array.lock (-1, cancellable));
    view = null;
    assert_true (array.lock (0));
}

void test_read_only () throws Error {
    var array = make_array (make_name ());
    var reader = Shnd.Array.open (array.name, READ);

    check_throws (() => reader.lock (), Shnd.Error.READ_ONLY);
    check_throws (() => reader.update (), Shnd.Error.READ_ONLY);
    array.update ();
    assert_true (reader.wait (0));

    var raw = Shnd.Array.open_segment (array.name, new Shnd.DType ("u1"), { 1 });
    check_throws (() => raw.lock (), Shnd.Error.UNSUPPORTED);
    check_throws (() => raw.wait (0), Shnd.Error.UNSUPPORTED);
    check_throws (() => raw.watch (), Shnd.Error.UNSUPPORTED);
}

void test_wait () throws Error {
    var array = make_array ();
    uint64 sequence;

    check_int ((int64) array.sequence, 0);
    assert_true (array.update ());
    assert_true (array.wait (0));
    assert_true (array.wait (7, -1, null, out sequence));
    check_int ((int64) sequence, 1);
    check_int ((int64) array.get_sequence (), 1);
    check_throws (() => array.wait (1, 0), Shnd.Error.TIMED_OUT);

    var thread = new Thread<bool> ("update", () => {
        try {
            Thread.usleep (20000);
            return array.update ();
        } catch (Error error) {
            return false;
        }
    });
    assert_true (array.wait (1, -1, null, out sequence));
    check_int ((int64) sequence, 2);
    assert_true (thread.join ());
}

async void lock_and_wait (Shnd.Array array, Shnd.Array other) throws Error {
    bool recovered;
    uint64 sequence;

    assert_true (yield array.lock_async ());
    try {
        yield other.lock_async (20000);
        Test.fail ();
    } catch (Shnd.Error.TIMED_OUT error) {
    }

    Timeout.add (20, () => {
        try {
            array.unlock ();
        } catch (Error error) {
            Test.fail ();
        }
        return Source.REMOVE;
    });
    assert_true (yield other.lock_async (-1, null, out recovered));
    assert_true (!recovered);
    assert_true (other.locked);
    other.unlock ();

    Timeout.add (20, () => {
        try {
            array.update ();
        } catch (Error error) {
            Test.fail ();
        }
        return Source.REMOVE;
    });
    assert_true (yield other.wait_async (0));
    assert_true (yield other.wait_async (0, -1, null, out sequence));
    check_int ((int64) sequence, 1);

    var cancellable = new Cancellable ();
    Timeout.add (20, () => {
        cancellable.cancel ();
        return Source.REMOVE;
    });
    try {
        yield other.wait_async (1, -1, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }
}

void test_async () throws Error {
    var array = make_array ();
    var view = array.reshape ({ 2, 2 });
    Error? failure = null;

    run_loop ((done) => {
        lock_and_wait.begin (array, view, (object, result) => {
            try {
                lock_and_wait.end (result);
            } catch (Error error) {
                failure = error;
            }
            done ();
        });
    });
    if (failure != null)
        throw failure;
}

void test_updated () throws Error {
    var array = make_array ();
    var context = MainContext.default ();
    uint64 seen = 0;

    // In Vala a signal does not begin to watch by itself.
    array.updated.connect ((sequence) => seen = sequence);
    assert_true (!array.watching);
    assert_true (array.watch ());
    assert_true (array.get_watching ());
    array.update ();
    array.update ();
    while (seen < 2)
        context.iteration (true);
    array.unwatch ();
    assert_true (!array.watching);
    array.update ();
    while (context.iteration (false));
    check_int ((int64) seen, 2);
}

async Shnd.Array open_later (string name) throws Error {
    try {
        yield Shnd.Array.open_wait_async (name, READ, 20000);
        Test.fail ();
    } catch (Shnd.Error.TIMED_OUT error) {
    }
    return yield Shnd.Array.open_wait_async (name);
}

void test_open_wait () throws Error {
    var name = make_name ();
    Shnd.Array? made = null;
    Shnd.Array? opened = null;

    check_throws (() => Shnd.Array.open_wait (name, READ, 0), Shnd.Error.TIMED_OUT);
    run_loop ((done) => {
        open_later.begin (name, (object, result) => {
            try {
                opened = open_later.end (result);
            } catch (Error error) {
                Test.message ("%s", error.message);
                Test.fail ();
            }
            done ();
        });
        Timeout.add (60, () => {
            try {
                made = make_array (name);
            } catch (Error error) {
                Test.fail ();
                done ();
            }
            return Source.REMOVE;
        });
    });
    check_ints (opened.shape, { 4 });
    check_string (Shnd.Array.open_wait (name).name, made.name);
    made.close ();
}

void test_names () throws Error {
    var name = make_name ();
    var array = make_array (name);
    assert_true (name in Shnd.list_names ());

    Shnd.ArrayInfo? found = null;
    foreach (var info in Shnd.list_infos ())
        if (info.name == name)
            found = info;
    foreach (var info in new Shnd.ArrayInfo[] { found, new Shnd.ArrayInfo (name) }) {
        check_string (info.get_name (), name);
        check_string (info.dtype.to_string (), "<i4");
        check_ints (info.shape, { 4 });
        check_ints (info.get_shape (), { 4 });
        check_ints (info.strides, { 4 });
        check_ints (info.get_strides (), { 4 });
        check_string (info.path, "/dev/shm/" + info.name);
        check_int ((int64) info.data_offset, 4096);
        check_int ((int64) info.sequence, 0);
        assert_true (!info.locked);
        check_int (info.n_dims, 1);
        check_int ((int64) info.n_bytes, 16);
        check_int ((int64) info.file_size, 12288);
        check_int (info.mode, 0600);
        assert_true (info.order == Shnd.Order.C);
        assert_true (info.held && info.synchronizable);
        assert_true (!info.orphaned && !info.persistent);
    }

    array.update ();
    array.lock ();
    var path = "/dev/shm/" + name;
    var locked = new Shnd.ArrayInfo.for_path (path);
    check_string (locked.name, null);
    check_string (locked.path, path);
    check_int ((int64) locked.sequence, 1);
    assert_true (locked.locked && locked.held);

    array = null;
    assert_true (!(name in Shnd.list_names ()));
    check_throws (() => new Shnd.ArrayInfo.for_path (path), Shnd.Error.NOT_FOUND);
    check_throws (() => new Shnd.ArrayInfo (name), Shnd.Error.NOT_FOUND);

    array = new Shnd.Array (name, new Shnd.DType ("u1"), { 1 }, PERSISTENT);
    assert_true (array.persistent);
    array.close ();
    assert_true (!(name in Shnd.reap ()));
    Shnd.unlink (name);
}

void test_descriptor () throws Error {
    var array = make_array (make_name ());
    array.set_int64 ({ 3 }, 7);
    var view = Shnd.Array.open_descriptor (array.slice (0, 3, -1, -2).to_descriptor ());

    check_ints (view.shape, { 2 });
    check_int (view.get_int64 ({ 0 }), 7);
    check_throws (() => Shnd.Array.open_descriptor ("x"), Shnd.Error.INVALID_ARGUMENT);
    check_throws (() => make_array ().to_descriptor (), Shnd.Error.UNSUPPORTED);
}

/* A child is killed while it has the lock. */
void test_recovered () throws Error {
    var array = make_array (make_name ());
    var program = FileUtils.read_link ("/proc/self/exe");
    var child = new Subprocess (SubprocessFlags.NONE, program, "--child", array.name);
    bool recovered;

    assert_true (array.wait (0));
    check_throws (() => array.lock (0), Shnd.Error.TIMED_OUT);
    child.force_exit ();
    child.wait ();
    assert_true (array.lock (-1, null, out recovered));
    assert_true (recovered);
    array.unlock ();
    assert_true (array.lock (-1, null, out recovered));
    assert_true (!recovered);
}

int run_child (string name) {
    try {
        var array = Shnd.Array.open (name);
        array.lock ();
        array.update ();
        new MainLoop ().run ();
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}

int main (string[] args) {
    if (args.length == 3 && args[1] == "--child")
        return run_child (args[2]);

    Test.init (ref args);

    add_test ("/vala/lock/lock", test_lock);
    add_test ("/vala/lock/read-only", test_read_only);
    add_test ("/vala/lock/wait", test_wait);
    add_test ("/vala/lock/async", test_async);
    add_test ("/vala/lock/updated", test_updated);
    add_test ("/vala/lock/recovered", test_recovered);
    add_test ("/vala/names/open-wait", test_open_wait);
    add_test ("/vala/names/lists", test_names);
    add_test ("/vala/names/descriptor", test_descriptor);

    return Test.run ();
}
