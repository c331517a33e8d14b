// SPDX-License-Identifier: MIT

int main () {
    try {
        var subscriber = new Shnd.Subscriber ("hello-frames");
        while (true) {
            var frame = subscriber.receive ();
            print ("%d %g\n", (int) frame.sequence, frame.array.get_double ({ 0, 0, 0 }));
        }
    } catch (Shnd.Error.END_OF_STREAM error) {
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
