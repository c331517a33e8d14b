// SPDX-License-Identifier: MIT

namespace Proof {
    /* The lines of /proc/self/maps that show the file of this name, as the kernel wrote them. */
    private string[] get_maps (string name) throws Error {
        var info = Posix.Stat ();
        string maps;
        string[] result = {};

        if (Posix.stat ("/dev/shm/" + name, out info) != 0)
            throw new FileError.NOENT ("Cannot look up %s", name);

        FileUtils.get_contents ("/proc/self/maps", out maps);
        foreach (unowned string line in maps.split ("\n")) {
            ulong inode = 0;

            if (line.scanf ("%*s %*s %*s %*s %lu", out inode) == 1 && inode == info.st_ino)
                result += line;
        }

        return result;
    }

    private void print_array (Shnd.Array array) throws Error {
        var checksum = Checksum.compute_for_bytes (ChecksumType.SHA256, array.get_bytes ());

        foreach (unowned string line in get_maps (array.name))
            print ("proof %s maps %s\n", array.name, line);
        print ("proof %s data %p\n", array.name, array.get_data ());
        print ("proof %s sha256 %s\n", array.name, checksum);
    }

    /* Says that the work is done; then, for each line on standard input, prints of each array where
     * this process has it mapped and what is in it. Returns at the end of the input. */
    public void serve (Shnd.Array[] arrays) throws Error {
        do {
            print ("proof - ready\n");
            stdout.flush ();

            if (stdin.read_line () == null)
                return;

            foreach (unowned Shnd.Array array in arrays)
                print_array (array);
        } while (true);
    }
}
