// SPDX-License-Identifier: MIT

int main () {
    try {
        var dtype = new Shnd.DType ("float32");
        var made = new Shnd.Array ("hello-vala", dtype, { 2, 3 }, Shnd.CreateFlags.NONE);
        made.set_double ({ 1, 2 }, 42);

        var opened = Shnd.Array.open ("hello-vala", Shnd.Access.READ);
        print ("%s: %g\n", opened.name, opened.get_double ({ 1, 2 }));
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
