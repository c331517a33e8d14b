// SPDX-License-Identifier: MIT

// In C these properties are variants; their getters are not.

namespace Shnd {
	public sealed class Array : GLib.Object {
		[CCode (array_length_type = "guint")]
		public int64[] shape { get; }
		[CCode (array_length_type = "guint")]
		public int64[] strides { get; }
	}

	public sealed class ArrayInfo : GLib.Object {
		[CCode (array_length_type = "guint")]
		public int64[] shape { get; }
		[CCode (array_length_type = "guint")]
		public int64[] strides { get; }
	}
}
