// SPDX-License-Identifier: MIT

/* Prints a table of what the arrays named on the command line are and hold. */

const int64 CHUNK = 65536;
const int N_COLUMNS = 9;
const int N_WORDS = 3;

class Statistics {
    public int64 count;
    public double minimum = double.INFINITY;
    public double maximum = -double.INFINITY;
    public double mean;

    private double squares;

    public double deviation {
        get { return Math.sqrt (squares / count); }
    }

    /* Numbers of any type; those that are not a number are left out. */
    public Statistics (Shnd.Array array) throws Error {
        var in_order = array.order == Shnd.Order.FORTRAN ? array.transpose (null) : array;
        var flat = in_order.reshape ({ -1 });
        var n = (int64) flat.size;
        var float64 = new Shnd.DType ("float64");
        var numbers = new Shnd.Array (null, float64, { int64.min (n, CHUNK) }, 0);
        var values = (double*) numbers.get_data ();

        for (int64 first = 0; first < n; first += CHUNK) {
            var length = int64.min (n - first, CHUNK);

            numbers.slice (0, 0, length, 1).copy_from (flat.slice (0, first, first + length, 1));
            for (int64 i = 0; i < length; i++)
                add (values[i]);
        }
    }

    /* Mean and deviation in one pass, by Welford's method. */
    private void add (double value) {
        if (value.is_nan ())
            return;

        count++;
        minimum = double.min (minimum, value);
        maximum = double.max (maximum, value);

        var distance = value - mean;
        mean += distance / count;
        squares += distance * (value - mean);
    }
}

string format_shape (Shnd.Array array) {
    string[] words = {};

    foreach (var length in array.get_shape ())
        words += length.to_string ();

    return words.length == 0 ? "()" : string.joinv (" x ", words);
}

bool is_numeric (Shnd.DType dtype) {
    switch (dtype.get_kind ()) {
        case Shnd.DTypeKind.BOOL:
        case Shnd.DTypeKind.INT:
        case Shnd.DTypeKind.UINT:
        case Shnd.DTypeKind.FLOAT:
            return true;
        default:
            return false;
    }
}

string format_number (double number) {
    return "%.6g".printf (number);
}

/* One row of the table. */
class Row {
    public string[] cells;

    public Row (string[] cells) {
        this.cells = cells;
    }

    public Row.for_array (Shnd.Array array) throws Error {
        cells = {
            array.name,
            array.dtype.to_string (),
            format_shape (array),
            array.n_bytes.to_string (),
            array.order == Shnd.Order.FORTRAN ? "Fortran" : "C",
        };

        var statistics = is_numeric (array.dtype) ? new Statistics (array) : null;

        if (statistics != null && statistics.count > 0) {
            cells += format_number (statistics.minimum);
            cells += format_number (statistics.maximum);
            cells += format_number (statistics.mean);
            cells += format_number (statistics.deviation);
        }

        while (cells.length < N_COLUMNS)
            cells += "-";
    }
}

/* Words are on the left of their columns, numbers on the right. */
void print_table (Row[] rows) {
    foreach (unowned Row row in rows) {
        var line = new StringBuilder ();

        for (var i = 0; i < N_COLUMNS; i++) {
            var width = 0;

            foreach (unowned Row other in rows)
                width = int.max (width, other.cells[i].char_count ());

            var padding = string.nfill (width - row.cells[i].char_count (), ' ');
            line.append (i < N_WORDS ? row.cells[i] + padding : padding + row.cells[i]);
            line.append ("  ");
        }

        print ("%s\n", line.str.chomp ());
    }
}

void run (string[] names, bool prove) throws Error {
    var start = get_monotonic_time ();
    Shnd.Array[] arrays = {};
    Row[] rows = {
        new Row ({ "name", "dtype", "shape", "bytes", "order", "min", "max", "mean", "deviation" })
    };

    foreach (unowned string name in names)
        arrays += Shnd.Array.open (name, Shnd.Access.READ);
    foreach (unowned Shnd.Array array in arrays)
        rows += new Row.for_array (array);

    print_table (rows);
    print ("%-60s %8.2f ms\n", "computed statistics of %d arrays".printf (arrays.length),
           (get_monotonic_time () - start) / 1000.0);

    if (prove)
        Proof.serve (arrays);
}

int main (string[] args) {
    string[] names = {};
    var prove = false;

    foreach (unowned string word in args[1:args.length]) {
        if (word == "--prove")
            prove = true;
        else
            names += word;
    }

    try {
        if (names.length == 0)
            throw new OptionError.BAD_VALUE ("expected names of arrays");
        run (names, prove);
    } catch (Error error) {
        printerr ("statistics: %s\n", error.message);
        return 1;
    }

    return 0;
}
