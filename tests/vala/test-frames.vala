// SPDX-License-Identifier: MIT

// Publishers, subscribers and frames.

/* What a test has: two ends of a stream. */
class Pair {
    public Shnd.Publisher publisher;
    public Shnd.Subscriber subscriber;

    public Pair (string name = "pair-" + Uuid.string_random ()) throws Error {
        publisher = new Shnd.Publisher (name);
        subscriber = new Shnd.Subscriber (name);
        check_throws (() => subscriber.receive (0), Shnd.Error.TIMED_OUT);
        publisher.wait_subscribers (1);
    }

    ~Pair () {
        subscriber.close ();
        publisher.close ();
    }

    /* Sends `{ value, value + 1 }`. */
    public void send (int value) throws Error {
        var frame = publisher.acquire (new Shnd.DType ("i4"), { 2 });
        var values = (int*) frame.array.get_data ();

        values[0] = value;
        values[1] = value + 1;
        publisher.publish (frame);
    }
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

void test_planes () throws Error {
    var pair = new Pair ();
    var frame = pair.publisher.acquire (new Shnd.DType ("u1"), { 6 });
    var planes = "('Y', '|u1', 0, [2, 2], [2, 1]), ('UV', '<u2', 4, [], [])";
    size_t offset;

    assert_true (frame.list_planes ().length == 0);
    frame.set_metadata (new Variant.parsed (@"{'planes': <@a(sstaxax) [$planes]>}"));
    frame.get_plane ("UV").set_int64 ({}, 0x0201);
    pair.publisher.publish (frame);

    var received = pair.subscriber.receive ();
    var names = received.list_planes ();
    check_int (names.length, 2);
    check_string (names[1], "UV");
    check_ints (received.get_plane ("Y").shape, { 2, 2 });
    check_int (received.array.get_int64 ({ 5 }), 2);
    check_throws (() => received.get_plane ("U"), Shnd.Error.NOT_FOUND);

    var memory = received.get_memory (out offset);
    check_int ((int64) offset, 0);
    check_int (memory.get (4), 1);
}

void test_frame () throws Error {
    var pair = new Pair ();
    var frame = pair.publisher.acquire (new Shnd.DType ("f4"), { 2, 3 });
    var metadata = new VariantDict ();

    check_ints (frame.array.shape, { 2, 3 });
    check_int ((int64) frame.sequence, 0);
    check_int (frame.timestamp, -1);
    assert_true (!frame.released);
    frame.array.set_double ({ 1, 2 }, 2.5);
    metadata.insert ("name", "s", "first");
    metadata.insert ("number", "x", (int64) 5);
    assert_true (frame.set_metadata (metadata.end ()));
    frame.set_timestamp (17);
    assert_true (pair.publisher.publish (frame));
    assert_true (frame.released);
    check_int ((int64) frame.sequence, 1);
    check_throws (() => pair.publisher.publish (frame), Shnd.Error.NOT_ACQUIRED);

    var received = pair.subscriber.receive ();
    check_ints (received.array.get_shape (), { 2, 3 });
    assert_true (received.array.get_double ({ 1, 2 }) == 2.5);
    assert_true (received.array.access == READ);
    check_int ((int64) received.get_sequence (), 1);
    check_int (received.get_timestamp (), 17);
    check_string (received.metadata.lookup_value ("name", null).get_string (), "first");
    check_int (received.get_metadata ().lookup_value ("number", null).get_int64 (), 5);
    check_throws (() => received.set_metadata (null), Shnd.Error.NOT_ACQUIRED);

    // A view holds the memory until it is gone, or the frame is given back all the same.
    var view = received.array.index (0, 1);
    received.release ();
    assert_true (!received.released);
    assert_true (view.get_double ({ 2 }) == 2.5);
    view = null;
    assert_true (received.released);

    pair.send (1);
    received = pair.subscriber.receive ();
    view = received.array.index (0, 1);
    received.release_now ();
    assert_true (received.released);
    check_throws (() => received.array.get_int64 ({ 0 }), Shnd.Error.CLOSED);
    check_int ((int64) pair.subscriber.n_received, 2);
}

void test_view () throws Error {
    var pair = new Pair ();
    var frame = pair.publisher.acquire (new Shnd.DType ("u1"), { 4, 6 });

    assert_true (frame.set_array (frame.array.slice (1, 0, 5, 2)));
    check_throws (() => frame.set_array (new Shnd.Array (null, new Shnd.DType ("u1"), { 2 })),
        Shnd.Error.INVALID_ARGUMENT);
    pair.publisher.publish (frame);
    check_ints (pair.subscriber.receive ().array.strides, { 6, 2 });
}

void test_errors () throws Error {
    var pair = new Pair ();
    var other = new Pair ();
    var frame = pair.publisher.acquire (new Shnd.DType ("u1"), { 4 });

    check_throws (() => new Shnd.Publisher (pair.publisher.address), Shnd.Error.EXISTS);
    check_throws (() => new Shnd.Subscriber ("a/b"), Shnd.Error.INVALID_NAME);
    check_throws (() => other.publisher.publish (frame), Shnd.Error.NOT_ACQUIRED);
    check_throws (() => pair.publisher.wait_subscribers (2, 20000), Shnd.Error.TIMED_OUT);
    check_throws (() => pair.subscriber.receive (20000), Shnd.Error.TIMED_OUT);
    check_throws (() => pair.subscriber.receive (-2), Shnd.Error.INVALID_ARGUMENT);
    pair.publisher.close ();
    assert_true (pair.publisher.closed);
    check_throws (() => pair.publisher.publish (frame), Shnd.Error.CLOSED);
    check_throws (() => pair.subscriber.receive (), Shnd.Error.END_OF_STREAM);
    pair.subscriber.close ();
    check_throws (() => pair.subscriber.receive (), Shnd.Error.CLOSED);
}

void test_properties () throws Error {
    var pair = new Pair ();

    pair.publisher.depth = Shnd.MAX_DEPTH;
    check_int (pair.publisher.depth, 256);
    pair.publisher.overflow = BLOCK;
    pair.publisher.depth = 3;
    pair.publisher.max_frames = 4;
    pair.publisher.max_subscribers = 1;
    check_int (pair.publisher.depth, 3);
    check_int (pair.publisher.n_subscribers, 1);
    assert_true (pair.publisher.path.has_suffix ("/shndarray/" + pair.publisher.address));
    check_string (pair.subscriber.path, pair.publisher.path);
    pair.subscriber.latest_only = true;
    pair.subscriber.reconnect = true;
    pair.subscriber.spin = 5;
    pair.subscriber.depth = 2;
    assert_true (pair.subscriber.latest_only && pair.subscriber.reconnect);
    check_int (pair.subscriber.spin, 5);
    check_int (pair.subscriber.depth, 2);
    pair.send (0);
    check_int (pair.publisher.n_frames, 1);
    check_int ((int64) pair.publisher.sequence, 1);
    check_int ((int64) pair.publisher.n_dropped, 0);
    assert_true (pair.subscriber.get_fd () >= 0);
}

void test_observer () throws Error {
    var publisher = new Shnd.Publisher ("observed");
    var observer = new Shnd.Subscriber ("observed");

    assert_true (Shnd.list_addresses ().length == 1);
    check_string (Shnd.list_addresses ()[0], "observed");
    check_int (publisher.n_subscribers, 0);
    assert_true (!observer.observer);
    observer.observer = true;
    assert_true (observer.get_observer ());
    while (!observer.connected)
        check_throws (() => observer.receive (TimeSpan.MILLISECOND), Shnd.Error.TIMED_OUT);

    var frame = publisher.acquire (new Shnd.DType ("i4"), { 2 });
    publisher.publish (frame);
    check_int ((int64) observer.sequence, 1);
    check_int (observer.n_subscribers, 0);
    check_int ((int64) observer.n_dropped, 0);
    check_int ((int64) observer.frame_size, 8);
    check_int ((int64) observer.get_sequence (), 1);
    check_int ((int64) observer.get_frame_size (), 8);

    publisher.close ();
    check_throws (() => observer.receive (), Shnd.Error.END_OF_STREAM);
    check_int (Shnd.list_addresses ().length, 0);
}

async int publish_and_receive (Pair pair, int n_frames) throws Error {
    var sum = 0;

    assert_true (yield pair.publisher.wait_subscribers_async (1));
    for (var i = 0; i < n_frames; i++) {
        var frame = yield pair.publisher.acquire_async (new Shnd.DType ("i4"), { 1, 2 });

        frame.array.set_int64 ({ 0, 1 }, i);
        assert_true (yield pair.publisher.publish_async (frame));

        var received = yield pair.subscriber.receive_async ();
        sum += (int) received.array.get_int64 ({ 0, 1 });
    }
    // None was made anew: what went out of scope went back.
    assert_true (pair.publisher.n_frames <= 3);

    try {
        yield pair.subscriber.receive_async (20000);
        Test.fail ();
    } catch (Shnd.Error.TIMED_OUT error) {
    }

    var cancellable = new Cancellable ();
    Timeout.add (20, () => {
        cancellable.cancel ();
        return Source.REMOVE;
    });
    try {
        yield pair.subscriber.receive_async (-1, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }

    return sum;
}

void test_async () throws Error {
    var pair = new Pair ();
    Error? failure = null;
    var sum = 0;

    run_loop ((done) => {
        publish_and_receive.begin (pair, 100, (object, result) => {
            try {
                sum = publish_and_receive.end (result);
            } catch (Error error) {
                failure = error;
            }
            done ();
        });
    });
    if (failure != null)
        throw failure;
    check_int (sum, 4950);
}

void test_signals () throws Error {
    var pair = new Pair ();
    var context = MainContext.default ();
    var sum = 0;
    Error? end = null;

    // In Vala a signal does not begin to watch by itself.
    pair.subscriber.frame.connect ((frame) => sum += ((int*) frame.array.get_data ())[0]);
    pair.subscriber.ended.connect ((error) => end = error);
    assert_true (!pair.subscriber.watching);
    assert_true (pair.subscriber.watch ());
    for (var i = 1; i <= 10; i++) {
        var before = pair.subscriber.n_received;

        pair.send (i);
        while (pair.subscriber.n_received == before)
            context.iteration (true);
    }
    check_int (sum, 55);
    pair.publisher.close ();
    while (end == null)
        context.iteration (true);
    assert_true (end is Shnd.Error.END_OF_STREAM);
    assert_true (!pair.subscriber.watching);
}

void test_authorize () throws Error {
    var name = "authorize-" + Uuid.string_random ();
    var publisher = new Shnd.Publisher (name);
    var refused = new Shnd.Subscriber (name);
    var admitted = new Shnd.Subscriber (name);
    var allow = false;
    var n_asked = 0;

    publisher.authorize.connect ((credentials) => {
        try {
            n_asked++;
            return allow && credentials.get_unix_user () == Posix.getuid ();
        } catch (Error error) {
            return false;
        }
    });
    var thread = new Thread<int> ("refused", () => {
        try {
            refused.receive (60 * TimeSpan.SECOND);
            return -1;
        } catch (Shnd.Error.PERMISSION_DENIED error) {
            return 0;
        } catch (Error error) {
            return -2;
        }
    });
    while (n_asked == 0)
        MainContext.default ().iteration (true);
    check_int (thread.join (), 0);

    allow = true;
    check_throws (() => admitted.receive (0), Shnd.Error.TIMED_OUT);
    assert_true (publisher.wait_subscribers (1));
    check_int (n_asked, 2);
}

int main (string[] args) {
    var folder = DirUtils.mkdtemp (Path.build_filename (Environment.get_tmp_dir (),
                                                        "shnd-test-vala-XXXXXX"));
    Environment.set_variable ("XDG_RUNTIME_DIR", folder, true);

    Test.init (ref args);

    add_test ("/vala/frames/frame", test_frame);
    add_test ("/vala/frames/planes", test_planes);
    add_test ("/vala/frames/view", test_view);
    add_test ("/vala/frames/errors", test_errors);
    add_test ("/vala/frames/properties", test_properties);
    add_test ("/vala/frames/observer", test_observer);
    add_test ("/vala/frames/async", test_async);
    add_test ("/vala/frames/signals", test_signals);
    add_test ("/vala/frames/authorize", test_authorize);

    var status = Test.run ();
    DirUtils.remove (Path.build_filename (folder, "shndarray"));
    if (DirUtils.remove (folder) != 0)
        status = 1;
    return status;
}
