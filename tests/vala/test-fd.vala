// SPDX-License-Identifier: MIT

// Arrays without a name: file descriptors, seals, variants, sockets.

Shnd.Array make_sealed () throws Error {
    int32[] numbers = { 1, 2, 3, 4, 5, 6 };
    unowned var bytes = (uint8[]) numbers;
    bytes.length = 24;
    var array = new Shnd.Array.from_bytes (null, new Shnd.DType ("i4"), { 2, 3 }, new Bytes (bytes));

    assert_true (array.seal ());
    return array;
}

/* Two ends of a connection, through a socket whose name no file has. */
void make_pair (out UnixConnection here, out UnixConnection there) throws Error {
    var address = new UnixSocketAddress.with_type (make_name (), -1, ABSTRACT);
    var listener = new SocketListener ();

    listener.add_address (address, STREAM, DEFAULT, null, null);
    there = (UnixConnection) new SocketClient ().connect (address);
    here = (UnixConnection) listener.accept (null);
    listener.close ();
}

void test_descriptor () throws Error {
    var array = make_sealed ();
    int fd = array.dup_fd ();
    var again = new Shnd.Array.for_fd (fd);

    check_throws (() => new Shnd.Array.for_fd (fd, READ_WRITE), Shnd.Error.PERMISSION_DENIED);
    check_throws (() => new Shnd.Array.for_fd (fd, READ | ANY_OWNER), Shnd.Error.INVALID_ARGUMENT);
    Posix.close (fd);
    check_throws (() => new Shnd.Array.for_fd (fd), Shnd.Error.INVALID_ARGUMENT);
    check_ints (again.shape, { 2, 3 });
    check_int (again.get_int64 ({ 1, 2 }), 6);
    array.set_int64 ({ 1, 2 }, 77);
    check_int (again.get_int64 ({ 1, 2 }), 77);
    check_throws (() => again.set_int64 ({ 0, 0 }, 1), Shnd.Error.READ_ONLY);
    check_throws (() => array.slice (0, 0, 1).dup_fd (), Shnd.Error.UNSUPPORTED);
}

void test_seal () throws Error {
    var array = new Shnd.Array (null, new Shnd.DType ("i4"), { 4 });
    int n_notified = 0;

    var id = array.notify["sealed"].connect (() => n_notified++);
    assert_true (!array.@sealed);
    array.seal ();
    array.seal ();
    assert_true (array.@sealed);
    assert_true (array.get_sealed ());
    check_int (n_notified, 1);
    /* What the handler has caught has the array, too. */
    array.disconnect (id);

    var named = new Shnd.Array (make_name (), new Shnd.DType ("i4"), { 4 });
    check_throws (() => named.seal (), Shnd.Error.UNSUPPORTED);
    array.close ();
    check_throws (() => array.seal (), Shnd.Error.CLOSED);
}

void test_variant () throws Error {
    var fd_list = new UnixFDList ();
    var variant = make_sealed ().slice (1, 2, -1, -2).to_variant (fd_list);

    check_string (variant.get_type_string (), "(hsaxaxt)");
    var again = new Shnd.Array.from_variant (variant, fd_list);
    check_ints (again.shape, { 2, 2 });
    check_int (again.get_int64 ({ 1, 0 }), 6);
    check_throws (() => new Shnd.Array.from_variant (variant, null), Shnd.Error.INVALID_ARGUMENT);
    check_throws (() => new Shnd.Array.from_variant (7, fd_list), Shnd.Error.INVALID_ARGUMENT);
}

void test_send () throws Error {
    var array = make_sealed ();
    UnixConnection here, there;

    make_pair (out here, out there);
    assert_true (array.send (here));
    var again = Shnd.Array.receive (there);
    check_int (again.get_int64 ({ 1, 2 }), 6);
    array.send (there);
    check_throws (() => Shnd.Array.receive (here, READ_WRITE), Shnd.Error.PERMISSION_DENIED);
    there.close ();
    check_throws (() => Shnd.Array.receive (here), Shnd.Error.END_OF_STREAM);
    check_throws (() => array.send (here), Shnd.Error.DISCONNECTED);
}

async int64 exchange (Shnd.Array array) throws Error {
    UnixConnection here, there;

    make_pair (out here, out there);
    yield array.send_async (here);
    var again = yield Shnd.Array.receive_async (there);
    here.close ();
    try {
        yield Shnd.Array.receive_async (there);
        return -1;
    } catch (Shnd.Error.END_OF_STREAM error) {
        return again.get_int64 ({ 0, 1 });
    }
}

void test_async () throws Error {
    var loop = new MainLoop ();
    AsyncResult? result = null;

    exchange.begin (make_sealed (), (_, r) => {
        result = r;
        loop.quit ();
    });
    loop.run ();
    check_int (exchange.end (result), 2);
}

int main (string[] args) {
    Test.init (ref args);

    add_test ("/vala/fd/descriptor", test_descriptor);
    add_test ("/vala/fd/seal", test_seal);
    add_test ("/vala/fd/variant", test_variant);
    add_test ("/vala/fd/send", test_send);
    add_test ("/vala/fd/async", test_async);

    return Test.run ();
}
