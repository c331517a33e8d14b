// SPDX-License-Identifier: MIT

const string STRUCT = "[(('when', 't'), '<M8[us]'), ('position', '>f4', (3, 2)), ('', '|V4'), "
    + "('color', [('r', '|u1'), ('g', '|u1')])]";

void test_plain () throws Error {
    var dtype = new Shnd.DType ("float32");

    check_string (dtype.to_string (), "<f4");
    check_string (@"$dtype", "<f4");
    assert_true (dtype.get_kind () == Shnd.DTypeKind.FLOAT);
    check_int ((int64) dtype.get_item_size (), 4);
    check_int ((int64) dtype.get_alignment (), 4);
    assert_true (dtype.is_native ());
    assert_true (!new Shnd.DType (">i8").is_native ());
    check_string (dtype.get_unit (), null);
    check_string (new Shnd.DType ("m8[25s]").get_unit (), "25s");
    check_int (dtype.get_n_fields (), 0);
    check_ints (dtype.get_base_shape (), {});
    assert_true (dtype.get_base ().equal (dtype));
}

void test_equal () throws Error {
    var dtype = new Shnd.DType ("u2");
    var same = dtype;

    assert_true (dtype.equal (new Shnd.DType ("uint16")));
    assert_true (!dtype.equal (new Shnd.DType (">u2")));
    check_int (dtype.hash (), new Shnd.DType ("uint16").hash ());
    dtype = null;
    check_string (same.to_string (), "<u2");
}

void test_fields () throws Error {
    var dtype = new Shnd.DType (STRUCT);

    check_string (dtype.to_string (), STRUCT);
    assert_true (dtype.get_kind () == Shnd.DTypeKind.STRUCT);
    check_int (dtype.get_n_fields (), 3);
    check_string (dtype.get_field_name (0), "t");
    check_string (dtype.get_field_title (0), "when");
    check_string (dtype.get_field_title (1), null);
    check_int ((int64) dtype.get_field_offset (2), 36);
    check_int (dtype.find_field ("color"), 2);
    check_int (dtype.find_field ("x"), -1);
    check_string (dtype.get_field_name (3), null);
    assert_true (dtype.get_field_dtype (3) == null);

    Shnd.DType position = dtype.get_field_dtype (1);
    dtype = null;
    check_ints (position.get_base_shape (), { 3, 2 });
    check_string (position.get_base ().to_string (), ">f4");
}

void test_errors () throws Error {
    foreach (var description in new string[] { "", "object", "i3", "[(" })
        check_throws (() => new Shnd.DType (description), Shnd.Error.INVALID_DTYPE);
}

void test_constants () throws Error {
    check_int (Shnd.MAX_DIMS, 32);
    check_string (Shnd.VERSION_S,
                  "%d.%d.%d".printf (Shnd.MAJOR_VERSION, Shnd.MINOR_VERSION, Shnd.MICRO_VERSION));
    assert_true (Shnd.CreateFlags.NONE == 0);
    assert_true (Shnd.Access.READ_WRITE == (Shnd.Access.READ | Shnd.Access.WRITE));
}

int main (string[] args) {
    Test.init (ref args);

    add_test ("/vala/dtype/plain", test_plain);
    add_test ("/vala/dtype/equal", test_equal);
    add_test ("/vala/dtype/fields", test_fields);
    add_test ("/vala/dtype/errors", test_errors);
    add_test ("/vala/constants", test_constants);

    return Test.run ();
}
