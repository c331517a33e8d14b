// SPDX-License-Identifier: MIT

void test_new () throws Error {
    var array = new Shnd.Array (null, new Shnd.DType ("float32"), { 2, 3 });

    check_string (array.name, null);
    check_string (array.dtype.to_string (), "<f4");
    check_ints (array.shape, { 2, 3 });
    check_ints (array.strides, { 12, 4 });
    check_int (array.n_dims, 2);
    check_int ((int64) array.size, 6);
    check_int ((int64) array.item_size, 4);
    check_int ((int64) array.n_bytes, 24);
    assert_true (array.order == Shnd.Order.C);
    assert_true (array.access == Shnd.Access.READ_WRITE);
    assert_true (!array.closed);

    check_ints (array.get_shape (), { 2, 3 });
    check_ints (array.get_strides (), { 12, 4 });
    check_string (array.get_name (), null);
    assert_true (array.get_dtype ().equal (array.dtype));
    check_int (array.get_n_dims (), 2);
    check_int ((int64) array.get_size (), 6);
    check_int ((int64) array.get_item_size (), 4);
    check_int ((int64) array.get_n_bytes (), 24);
    assert_true (array.get_order () == Shnd.Order.C);
    assert_true (array.get_access () == Shnd.Access.READ_WRITE);
    assert_true (!array.get_closed ());

    check_ints (new Shnd.Array (null, array.dtype, {}).shape, {});
    assert_true (new Shnd.Array (null, array.dtype, { 2, 3 }, FORTRAN).order == FORTRAN);
}

void test_new_fails () throws Error {
    var dtype = new Shnd.DType ("u1");

    check_throws (() => new Shnd.Array (null, dtype, { -1 }), Shnd.Error.INVALID_SHAPE);
    check_throws (() => new Shnd.Array ("a/b", dtype, { 1 }), Shnd.Error.INVALID_NAME);
    check_throws (() => new Shnd.Array (null, dtype, { 1 }, (Shnd.CreateFlags) 0x8000),
                  Shnd.Error.INVALID_ARGUMENT);
}

void test_names () throws Error {
    var name = make_name ();
    var dtype = new Shnd.DType ("i4");
    var array = new Shnd.Array (name, dtype, { 3 });

    check_string (array.name, name);
    check_throws (() => new Shnd.Array (name, dtype, { 3 }), Shnd.Error.EXISTS);

    var other = Shnd.Array.open (name);
    array.set_int64 ({ 1 }, -7);
    check_int (other.get_int64 ({ 1 }), -7);
    assert_true (other.access == Shnd.Access.READ_WRITE);

    var reader = Shnd.Array.open (name, READ);
    assert_true (reader.access == Shnd.Access.READ);
    check_int (reader.get_int64 ({ 1 }), -7);
    check_throws (() => reader.set_int64 ({ 1 }, 1), Shnd.Error.READ_ONLY);

    assert_true (array.unlink ());
    check_throws (() => array.unlink (), Shnd.Error.NOT_FOUND);
    check_throws (() => Shnd.Array.open (name), Shnd.Error.NOT_FOUND);
    check_throws (() => Shnd.unlink (name), Shnd.Error.NOT_FOUND);

    var unique = new Shnd.Array.unique (dtype, { 3 });
    assert_true (unique.name.has_prefix ("shnd-"));
    assert_true (Shnd.unlink (unique.name));
}

void test_error_domain () throws Error {
    try {
        Shnd.Array.open (make_name (), READ);
        Test.fail ();
    } catch (Shnd.Error.NOT_FOUND error) {
        assert_true (error.domain == Shnd.Error.quark ());
        assert_true (error.message.length > 10);
    }
}

void test_contents () throws Error {
    int16[] values = { 1, -2, 3, 4, 5, 6 };
    var dtype = new Shnd.DType ("i2");
    var array = new Shnd.Array.from_data (null, dtype, { 2, 3 }, values,
                                          values.length * sizeof (int16));
    int16* elements = (int16*) array.get_data ();

    check_int (elements[1], -2);
    elements[1] = 20;
    check_int (array.get_int64 ({ 0, 1 }), 20);

    var copy = new Shnd.Array.from_bytes (null, dtype, { 2, 3 }, array.get_bytes ());
    check_int (copy.get_int64 ({ 0, 1 }), 20);
    check_throws (() => new Shnd.Array.from_bytes (null, dtype, { 7 }, array.get_bytes ()),
                  Shnd.Error.INVALID_ARGUMENT);

    assert_true (array.fill (new Variant.int16 (9)));
    assert_true (copy.copy_from (array.index (0, 0)));
    check_int (copy.get_int64 ({ 1, 2 }), 9);
    assert_true (copy.write_bytes (new Bytes ({ 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0 })));
    check_int (copy.get_int64 ({ 1, 2 }), 6);

    var cow = copy.get_cow_bytes ();
    check_int (cow.get (10), 6);

    uint64 offset;
    var memory = copy.slice (1, 2, -1, -1).get_memory (out offset);
    check_int ((int64) offset, 4);
    check_int (memory.length, 12);

    var named = copy.dup (make_name (), FORTRAN);
    assert_true (named.order == FORTRAN);
    named.unlink ();
    check_string (copy.dup ().name, null);

    var strided = copy.as_strided (new Shnd.DType (">u2"), 4, { 2, 2 }, { -4, 2 });
    check_int (strided.get_int64 ({ 0, 1 }), 0x0400);
    check_int (strided.get_int64 ({ 1, 0 }), 0x0100);
    check_throws (() => copy.as_strided (dtype, 0, { 7 }, { 2 }), Shnd.Error.TOO_SMALL);

    int64 done = 0;
    copy.dup (null, NONE, new Cancellable (), (current, total) => {
        check_int (total, 12);
        done = current;
    });
    check_int (done, 12);
}

void test_elements () throws Error {
    var dtype = new Shnd.DType ("[('x', '<i4'), ('y', '<f8', (2,)), ('z', '<U4')]");
    var array = new Shnd.Array (null, dtype, { 2 });

    assert_true (array.set_element ({ 1 }, new Variant.parsed ("(1, [2.5, 3.5], 'four')")));
    check_string (array.get_element ({ 1 }).print (false), "(1, [2.5, 3.5], 'four')");
    check_throws (() => array.get_element ({ 2 }), Shnd.Error.OUT_OF_RANGE);
    check_throws (() => array.get_element ({ -1 }), Shnd.Error.OUT_OF_RANGE);
    check_throws (() => array.get_element ({}), Shnd.Error.OUT_OF_RANGE);
    check_throws (() => array.set_element ({ 0 }, new Variant.string ("x")),
                  Shnd.Error.TYPE_MISMATCH);

    var numbers = array.field ("y");
    check_ints (numbers.shape, { 2, 2 });
    assert_true (numbers.get_double ({ 1, 1 }) == 3.5);
    assert_true (numbers.set_double ({ 0, 1 }, 0.25));
    check_string (array.get_element ({ 0 }).print (false), "(0, [0.0, 0.25], '')");
    check_throws (() => numbers.get_int64 ({ 0, 1 }), Shnd.Error.OUT_OF_RANGE);

    var longs = new Shnd.Array (null, new Shnd.DType ("i8"), { 1 });
    assert_true (longs.set_int64 ({ 0 }, int64.MIN));
    check_int (longs.get_int64 ({ 0 }), int64.MIN);
}

void test_views () throws Error {
    var array = new Shnd.Array (null, new Shnd.DType ("u1"), { 2, 3 });

    for (int i = 0; i < 6; i++)
        array.set_int64 ({ i / 3, i % 3 }, i);

    check_ints (array.slice (1, 0, 2).shape, { 2, 2 });
    check_int (array.slice (1, 2, -1, -1).get_int64 ({ 1, 0 }), 5);
    check_int (array.index (0, 1).get_int64 ({ 0 }), 3);
    check_int (array.reshape ({ -1 }).get_int64 ({ 4 }), 4);
    check_ints (array.transpose ().shape, { 3, 2 });
    check_int (array.transpose ({ 1, 0 }).get_int64 ({ 2, 1 }), 5);
    check_throws (() => array.transpose ().reshape ({ 6 }), Shnd.Error.NOT_CONTIGUOUS);
    check_throws (() => array.field ("x"), Shnd.Error.TYPE_MISMATCH);

    var row = array.index (0, 1);
    array = null;
    check_int (row.get_int64 ({ 2 }), 5);
}

void test_files () throws Error {
    var folder = DirUtils.make_tmp ("shnd-test-vala-XXXXXX");
    var path = Path.build_filename (folder, "array.npy");
    var array = new Shnd.Array (null, new Shnd.DType (">i2"), { 3 });
    var cancellable = new Cancellable ();
    int64 last = 0;

    array.set_int64 ({ 2 }, 258);
    assert_true (array.save (path, Shnd.SaveFlags.NONE, null, (written, total) => {
        last = written;
        check_int (total, 6);
    }));
    check_int (last, 6);

    var file = Shnd.Array.open_path (path, READ);
    check_string (file.dtype.to_string (), ">i2");
    check_int (file.get_int64 ({ 2 }), 258);
    assert_true (array.save (path));

    cancellable.cancel ();
    try {
        array.save (path, Shnd.SaveFlags.NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }

    FileUtils.unlink (path);
    DirUtils.remove (folder);
}

void test_load () throws Error {
    var folder = DirUtils.make_tmp ("shnd-test-vala-XXXXXX");
    var path = Path.build_filename (folder, "array.npy");
    var name = make_name ();
    var cancellable = new Cancellable ();
    int64 last = 0;

    var file = new Shnd.Array.path (path, new Shnd.DType (">i2"), { 2, 3 }, FORTRAN);
    file.set_int64 ({ 1, 2 }, 258);
    assert_true (file.sync ());
    assert_true (file.sync (ASYNC | INVALIDATE, cancellable));
    check_throws (() => new Shnd.Array.path (path, file.dtype, { 1 }), Shnd.Error.EXISTS);

    var array = Shnd.Array.load (name, path);
    check_string (array.name, name);
    check_string (array.dtype.to_string (), ">i2");
    assert_true (array.order == FORTRAN);
    check_int (array.get_int64 ({ 1, 2 }), 258);
    assert_true (array.mlock ());
    assert_true (array.munlock ());
    check_throws (() => Shnd.Array.load (name, path), Shnd.Error.EXISTS);
    check_throws (() => Shnd.Array.load (null, path, FORTRAN), Shnd.Error.INVALID_ARGUMENT);
    array.unlink ();

    Shnd.Array.load (null, path, SPARSE, cancellable, (read, total) => {
        last = read;
        check_int (total, 12);
    });
    check_int (last, 12);
    cancellable.cancel ();
    try {
        Shnd.Array.load (null, path, NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }

    FileUtils.unlink (path);
    check_throws (() => Shnd.Array.load (null, path), Shnd.Error.NOT_FOUND);
    check_int (DirUtils.remove (folder), 0);
}

async void load (string folder) throws Error {
    var path = Path.build_filename (folder, "array.npy");
    var cancellable = new Cancellable ();

    var file = new Shnd.Array.path (path, new Shnd.DType ("f8"), { 3 });
    file.set_double ({ 2 }, 0.5);
    assert_true (yield file.sync_async ());

    var array = yield Shnd.Array.load_async (null, path);
    check_string (array.name, null);
    assert_true (array.get_double ({ 2 }) == 0.5);

    cancellable.cancel ();
    try {
        yield Shnd.Array.load_async (null, path, NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }
    try {
        yield file.sync_async (NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }
    try {
        yield Shnd.Array.load_async (null, path + "x");
        Test.fail ();
    } catch (Shnd.Error.NOT_FOUND error) {
    }

    var copy = yield array.dup_async ();
    check_string (copy.name, null);
    assert_true (copy.get_double ({ 2 }) == 0.5);
    copy = yield array.dup_async (null, FORTRAN);
    try {
        yield array.dup_async (null, NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }

    FileUtils.unlink (path);
}

async void stream (Shnd.Array array) throws Error {
    var output = new MemoryOutputStream.resizable ();

    assert_true (array.save_stream (output));
    assert_true (yield array.save_stream_async (output));
    output.close ();

    var input = new MemoryInputStream.from_bytes (output.steal_as_bytes ());
    check_int (Shnd.Array.load_stream (null, input).get_int64 ({ 2 }), 258);
    var loaded = yield Shnd.Array.load_stream_async (null, input);
    check_int (loaded.get_int64 ({ 2 }), 258);

    try {
        yield Shnd.Array.load_stream_async (null, input);
        Test.fail ();
    } catch (Shnd.Error.END_OF_STREAM error) {
    }
    try {
        yield array.save_stream_async (output);
        Test.fail ();
    } catch (IOError.CLOSED error) {
    }
}

void test_stream () throws Error {
    var array = new Shnd.Array (null, new Shnd.DType (">i2"), { 3 });
    var loop = new MainLoop ();
    AsyncResult? outcome = null;

    array.set_int64 ({ 2 }, 258);
    stream.begin (array, (object, result) => {
        outcome = result;
        loop.quit ();
    });
    loop.run ();
    stream.end (outcome);
}

void test_load_async () throws Error {
    var folder = DirUtils.make_tmp ("shnd-test-vala-XXXXXX");
    var loop = new MainLoop ();
    AsyncResult? outcome = null;

    load.begin (folder, (object, result) => {
        outcome = result;
        loop.quit ();
    });
    loop.run ();
    load.end (outcome);
    check_int (DirUtils.remove (folder), 0);
}

async void save (Shnd.Array array, string folder) throws Error {
    var path = Path.build_filename (folder, "array.npy");
    var cancellable = new Cancellable ();

    assert_true (yield array.save_async (path));
    check_int (Shnd.Array.open_path (path).get_int64 ({ 2 }), 258);

    array.set_int64 ({ 2 }, 7);
    assert_true (yield array.save_async (path, Shnd.SaveFlags.NONE, cancellable));
    check_int (Shnd.Array.open_path (path).get_int64 ({ 2 }), 7);

    array.set_int64 ({ 2 }, 8);
    cancellable.cancel ();
    try {
        yield array.save_async (path, Shnd.SaveFlags.NONE, cancellable);
        Test.fail ();
    } catch (IOError.CANCELLED error) {
    }
    check_int (Shnd.Array.open_path (path).get_int64 ({ 2 }), 7);

    try {
        yield array.save_async (path + "/x");
        Test.fail ();
    } catch (Shnd.Error.NOT_FOUND error) {
    }

    FileUtils.unlink (path);
}

void test_save_async () throws Error {
    var folder = DirUtils.make_tmp ("shnd-test-vala-XXXXXX");
    var array = new Shnd.Array (null, new Shnd.DType (">i2"), { 3 });
    var loop = new MainLoop ();
    AsyncResult? outcome = null;

    array.set_int64 ({ 2 }, 258);
    save.begin (array, folder, (object, result) => {
        outcome = result;
        loop.quit ();
    });
    loop.run ();
    save.end (outcome);
    check_int (DirUtils.remove (folder), 0);
}

void test_segment () throws Error {
    var name = make_name ();

    FileUtils.set_data ("/dev/shm/" + name, { 9, 1, 0, 2, 0 });
    var array = Shnd.Array.open_segment (name, new Shnd.DType ("<u2"), { 2 }, 1);
    check_int (array.get_int64 ({ 1 }), 2);
    check_int (Shnd.Array.open_segment (name, new Shnd.DType ("u1"), { 5 }).get_int64 ({ 0 }), 9);
    check_throws (() => Shnd.Array.open_segment (name, array.dtype, { 3 }, 0, READ),
                  Shnd.Error.TOO_SMALL);
    Shnd.unlink (name);
}

void test_close () throws Error {
    var array = new Shnd.Array (null, new Shnd.DType ("u1"), { 2 });
    var view = array.slice (0, 1, 2);
    int n_notified = 0;

    array.notify["closed"].connect (() => n_notified++);
    array.close ();
    array.close ();
    check_int (n_notified, 1);
    assert_true (array.closed);
    assert_true (array.get_data () == null);
    check_ints (array.shape, { 2 });
    check_throws (() => array.get_int64 ({ 0 }), Shnd.Error.CLOSED);
    check_int (view.get_int64 ({ 0 }), 0);

    var empty = (Shnd.Array) Object.new (typeof (Shnd.Array));
    assert_true (empty.closed);
    check_ints (empty.shape, { 0 });
    check_throws (() => empty.get_bytes (), Shnd.Error.CLOSED);
}

void test_other_process () throws Error {
    var array = new Shnd.Array (make_name (), new Shnd.DType ("f8"), { 4 });
    var program = FileUtils.read_link ("/proc/self/exe");

    array.fill (new Variant.double (2));
    var child = new Subprocess (SubprocessFlags.STDOUT_PIPE, program, "--child", array.name);
    string output;
    child.communicate_utf8 (null, null, out output, null);
    assert_true (child.get_successful ());
    check_string (output, "8\n");
    check_int (array.get_int64 ({ 3 }), 99);
    array.unlink ();
}

/* The other process: prints the sum, and changes one element. */
int run_child (string name) {
    try {
        var array = Shnd.Array.open (name);
        double sum = 0;

        for (int i = 0; i < array.shape[0]; i++)
            sum += array.get_double ({ i });
        print (@"$sum\n");
        array.set_double ({ 3 }, 99);
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

    add_test ("/vala/array/new", test_new);
    add_test ("/vala/array/new-fails", test_new_fails);
    add_test ("/vala/array/names", test_names);
    add_test ("/vala/array/error-domain", test_error_domain);
    add_test ("/vala/array/contents", test_contents);
    add_test ("/vala/array/elements", test_elements);
    add_test ("/vala/array/views", test_views);
    add_test ("/vala/array/files", test_files);
    add_test ("/vala/array/save-async", test_save_async);
    add_test ("/vala/array/load", test_load);
    add_test ("/vala/array/load-async", test_load_async);
    add_test ("/vala/array/stream", test_stream);
    add_test ("/vala/array/segment", test_segment);
    add_test ("/vala/array/close", test_close);
    add_test ("/vala/array/other-process", test_other_process);

    return Test.run ();
}
