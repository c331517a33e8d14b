// SPDX-License-Identifier: MIT

// What the tests in Vala share.

public delegate void TestBody () throws Error;

/* Adds a test that fails with any error that it does not catch. */
public void add_test (string path, owned TestBody body) {
    Test.add_data_func (path, () => {
        try {
            body ();
        } catch (Error error) {
            Test.message ("%s", error.message);
            Test.fail ();
        }
    });
}

public void check_int (int64 actual, int64 expected) {
    if (actual != expected) {
        Test.message (@"$actual, expected $expected");
        Test.fail ();
    }
}

public void check_string (string? actual, string? expected) {
    if (actual != expected) {
        Test.message ("“%s”, expected “%s”", actual ?? "(null)", expected ?? "(null)");
        Test.fail ();
    }
}

public void check_ints (int64[] actual, int64[] expected) {
    check_int (actual.length, expected.length);
    for (int i = 0; i < int.min (actual.length, expected.length); i++)
        check_int (actual[i], expected[i]);
}

/* Whether `body` throws an error of the library with that code. */
public void check_throws (owned TestBody body, int code) {
    try {
        body ();
        Test.message (@"no error, expected $code");
    } catch (Shnd.Error error) {
        if (error.code == code)
            return;
        Test.message ("“%s” with code %d, expected %d", error.message, error.code, code);
    } catch (Error error) {
        Test.message ("“%s”, expected one of Shnd.Error", error.message);
    }
    Test.fail ();
}

/* A name that no array has. */
public string make_name () {
    return "shnd-test-vala-" + Uuid.string_random ();
}
