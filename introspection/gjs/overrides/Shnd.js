// SPDX-License-Identifier: MIT
/* exported _init */

// What JavaScript gets beyond what introspection gives: here the classes' methods. Scripts whose
// names begin with an underscore can be in the same folder, as no namespace has such a name.

const {GLib} = imports.gi;

function _init() {
    // Not outside: GJS finds what is in a script's own scope more slowly, which at() would show.
    const {
        MAX_UINT64, TypedArray, define, defineGetter, forbid, show, toBytes, toInteger, toIntegers,
        toNullableText, toShape, toText, toUint32, wrap,
    } = imports.overrides._shndArguments;
    const {addDescriptors} = imports.overrides._shndFds;
    const {addFiles} = imports.overrides._shndFiles;
    const {addFrames} = imports.overrides._shndFrames;
    const {addSynchronization} = imports.overrides._shndSync;
    const {
        CLASS_DTYPES, assign, fromVariant, getType, getVariantBytes, setNamespace, toTypedArray,
        toVariant, withTemporary,
    } = imports.overrides._shndElements;

    const Shnd = this;
    const ArrayClass = Shnd.Array;
    const DType = Shnd.DType;
    const proto = ArrayClass.prototype;
    const dtypeProto = DType.prototype;

    // What introspection gives, before it is replaced below.
    const newDType = DType.new;
    const native = {};
    for (const name of [
        'get_bytes', 'get_double', 'get_element', 'get_int64', 'get_memory',
        'set_double', 'set_element',
    ])
        native[name] = proto[name];

    setNamespace(Shnd);

    // GJS would go on to derive the type, and end the process.
    for (const name of ['Array', 'ArrayInfo', 'Frame', 'Publisher', 'Subscriber']) {
        Shnd[name]._classInit = function () {
            throw new TypeError(`Shnd.${name} is final: no class can be derived from it`);
        };
    }

    function toDType(value) {
        if (value instanceof DType)
            return value;
        if (typeof value === 'string')
            return newDType.call(DType, toText(value, 'dtype'));
        if (CLASS_DTYPES.has(value))
            return newDType.call(DType, CLASS_DTYPES.get(value));

        throw new TypeError(
            `dtype: ${show(value)}, expected a string, a Shnd.DType or a class of typed arrays`);
    }

    /* Makes an `ax` property an Array. GJS would print a warning for one that a Number rounds. */
    function defineDimensions(owner, name) {
        const getVariant = Object.getOwnPropertyDescriptor(owner, name).get;
        const key = Symbol(name);

        defineGetter(owner, name, function () {
            this[key] ??= Object.freeze(Array.from(
                new BigInt64Array(getVariantBytes(getVariant.call(this)).buffer), Number));

            return this[key];
        });
        define(owner, `get_${name}`, 0, 0, function () {
            return [...this[name]];
        });
    }

    function isReadOnly(array) {
        return (array.get_access() & Shnd.Access.WRITE) === 0;
    }

    /* ---- Making and opening ---- */

    /**
     * Makes an array whose bytes are all zero.
     *
     * Wherever a dtype is asked for, it is a string as NumPy writes it (`'float32'`, `'>i2'`,
     * `"[('x', '<f4'), ('y', '<f4')]"`), a Shnd.DType, or a class of typed arrays (`Uint8Array`).
     * Wherever a shape is asked for, it is an integer or an Array of integers.
     *
     * @function Shnd.Array.new
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @returns {Shnd.Array} the new array
     */
    wrap(ArrayClass, 'new', 3, 4, (name, dtype, shape, flags = 0) => [
        toNullableText(name, 'name'), toDType(dtype), toShape(shape), toUint32(flags, 'flags'),
    ]);

    /**
     * Makes an array under a name that no other has.
     *
     * @function Shnd.Array.new_unique
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @returns {Shnd.Array} the new array
     */
    wrap(ArrayClass, 'new_unique', 2, 3, (dtype, shape, flags = 0) => [
        toDType(dtype), toShape(shape), toUint32(flags, 'flags'),
    ]);

    /**
     * Makes an array that begins with a copy of the given bytes.
     *
     * @function Shnd.Array.new_from_bytes
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {GLib.Bytes|TypedArray|DataView|ArrayBuffer} bytes - the elements as they shall lie in
     *   memory: in C order, or with Shnd.CreateFlags.FORTRAN in Fortran order
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @returns {Shnd.Array} the new array
     */
    wrap(ArrayClass, 'new_from_bytes', 4, 5, (name, dtype, shape, bytes, flags = 0) => [
        toNullableText(name, 'name'), toDType(dtype), toShape(shape), toBytes(bytes, 'bytes'),
        toUint32(flags, 'flags'),
    ]);

    /**
     * Makes an array that begins with a copy of a typed array, of the dtype of that.
     *
     * @function Shnd.Array.new_from_typed_array
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {TypedArray} typedArray - the elements in C order, whatever the flags
     * @param {number|bigint|Array} [shape] - the number of elements along each axis; one axis if it
     *   is missing
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @returns {Shnd.Array} the new array
     */
    define(ArrayClass, 'new_from_typed_array', 2, 4, (
        name, typedArray, shape = [typedArray?.length ?? 0], flags = 0
    ) => {
        if (!(typedArray instanceof TypedArray))
            throw new TypeError(`typedArray: ${show(typedArray)}, expected a typed array`);

        name = toNullableText(name, 'name');
        const dtype = typedArray.constructor;
        if ((toUint32(flags, 'flags') & Shnd.CreateFlags.FORTRAN) === 0)
            return ArrayClass.new_from_bytes(name, dtype, shape, typedArray, flags);

        return withTemporary(ArrayClass.new_from_bytes(null, dtype, shape, typedArray),
            temporary => temporary.dup(name, flags));
    });

    forbid(ArrayClass, 'new_from_data', 'use new_from_bytes()');

    /**
     * Opens an array by its name.
     *
     * @function Shnd.Array.open
     * @param {string} name - the name of a shared array
     * @param {Shnd.Access} [access] - how to open it; for reading and writing if it is missing
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'open', 1, 2, (name, access = Shnd.Access.READ_WRITE) => [
        toText(name, 'name'), toUint32(access, 'access'),
    ]);

    /**
     * Opens shared memory that has no header as an array in C order.
     *
     * @function Shnd.Array.open_segment
     * @param {string} name - the name of a segment of shared memory
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {number|bigint} [offset] - where the elements begin, in bytes
     * @param {Shnd.Access} [access] - how to open it; for reading and writing if it is missing
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'open_segment', 3, 5, (
        name, dtype, shape, offset = 0, access = Shnd.Access.READ_WRITE
    ) => [
        toText(name, 'name'), toDType(dtype), toShape(shape),
        toInteger(offset, 'offset', 0n, MAX_UINT64), toUint32(access, 'access'),
    ]);

    /**
     * Opens a `.npy` file on any file system as an array.
     *
     * @function Shnd.Array.open_path
     * @param {string} path - the path of the file
     * @param {Shnd.Access} [access] - how to open it; for reading and writing if it is missing
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'open_path', 1, 2, (path, access = Shnd.Access.READ_WRITE) => [
        toText(path, 'path'), toUint32(access, 'access'),
    ]);

    /**
     * Opens what to_descriptor() described: the same elements, with the same access.
     *
     * @function Shnd.Array.open_descriptor
     * @param {string} descriptor - the line of text
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'open_descriptor', 1, 1, descriptor => [toText(descriptor, 'descriptor')]);

    /**
     * Makes an array of zeros that is a new `.npy` file on any file system.
     *
     * @function Shnd.Array.new_path
     * @param {string} path - the path of a file that does not exist yet
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @returns {Shnd.Array} the new array
     */
    wrap(ArrayClass, 'new_path', 3, 4, (path, dtype, shape, flags = 0) => [
        toText(path, 'path'), toDType(dtype), toShape(shape), toUint32(flags, 'flags'),
    ]);

    /**
     * Removes the name of an array.
     *
     * @function Shnd.unlink
     * @param {string} name - the name of a shared array
     * @returns {boolean} true
     */
    wrap(Shnd, 'unlink', 1, 1, name => [toText(name, 'name')]);

    for (const name of ['list_addresses', 'list_names', 'list_infos', 'reap', 'release_names'])
        wrap(Shnd, name, 0, 0, () => []);

    /**
     * Finds out about an array without opening it.
     *
     * @function Shnd.ArrayInfo.new
     * @param {string} name - the name of a shared array
     * @returns {Shnd.ArrayInfo} what there is to know
     */
    wrap(Shnd.ArrayInfo, 'new', 1, 1, name => [toText(name, 'name')]);

    /**
     * Finds out about a `.npy` file without opening it.
     *
     * @function Shnd.ArrayInfo.new_for_path
     * @param {string} path - the path of the file
     * @returns {Shnd.ArrayInfo} what there is to know
     */
    wrap(Shnd.ArrayInfo, 'new_for_path', 1, 1, path => [toText(path, 'path')]);

    /**
     * The number of elements along each axis, as an Array of numbers that cannot be changed.
     *
     * @member {number[]} Shnd.ArrayInfo#shape
     */
    defineDimensions(Shnd.ArrayInfo.prototype, 'shape');

    /**
     * The distance in bytes from one element to the next along each axis, as an Array of numbers
     * that cannot be changed.
     *
     * @member {number[]} Shnd.ArrayInfo#strides
     */
    defineDimensions(Shnd.ArrayInfo.prototype, 'strides');

    /* ---- What it is ---- */

    /**
     * The number of elements along each axis, as an Array of numbers that cannot be changed.
     *
     * @member {number[]} Shnd.Array#shape
     */
    defineDimensions(proto, 'shape');

    /**
     * The distance in bytes from one element to the next along each axis, as an Array of numbers
     * that cannot be changed.
     *
     * @member {number[]} Shnd.Array#strides
     */
    defineDimensions(proto, 'strides');

    for (const name of [
        'get_name', 'get_dtype', 'get_n_dims', 'get_size', 'get_item_size', 'get_n_bytes',
        'get_order', 'get_access', 'get_closed', 'get_persistent', 'is_aligned', 'mlock', 'munlock',
        'to_descriptor', 'unlink', 'close',
    ])
        define(proto, name, 0, 0, proto[name]);

    /* ---- Views ---- */

    /**
     * Gets a view of some of the indices along one axis: those of Python's
     * `range(start, stop, step)`, which all have to exist.
     *
     * @function Shnd.Array#slice
     * @param {number|bigint} axis - which axis, counted from 0
     * @param {number|bigint} start - the first index
     * @param {number|bigint} stop - the index to stop before; -1 to go down to 0
     * @param {number|bigint} [step] - the distance from one index to the next; may be negative
     * @returns {Shnd.Array} a view of the same memory
     */
    wrap(proto, 'slice', 3, 4, (axis, start, stop, step = 1) => [
        toUint32(axis, 'axis'), toInteger(start, 'start'), toInteger(stop, 'stop'),
        toInteger(step, 'step'),
    ]);

    /**
     * Gets a view of what has one index along one axis.
     *
     * @function Shnd.Array#index
     * @param {number|bigint} axis - which axis, counted from 0
     * @param {number|bigint} index - which index, counted from 0
     * @returns {Shnd.Array} a view of the same memory, with one dimension less
     */
    wrap(proto, 'index', 2, 2, (axis, index) => [
        toUint32(axis, 'axis'), toInteger(index, 'index'),
    ]);

    /**
     * Gets a view of the same elements, read in C order, in another shape.
     *
     * @function Shnd.Array#reshape
     * @param {number|bigint|Array} shape - the new shape; one dimension may be -1, for what is left
     * @returns {Shnd.Array} a view of the same memory
     */
    wrap(proto, 'reshape', 1, 1, shape => [toShape(shape)]);

    /**
     * Gets a view with the axes in another order.
     *
     * @function Shnd.Array#transpose
     * @param {?Array} [axes] - for each axis of the view, the axis of the array that it shows;
     *   without it all axes are reversed
     * @returns {Shnd.Array} a view of the same memory
     */
    wrap(proto, 'transpose', 0, 1, (axes = null) => [
        axes === null ? null : toIntegers(axes, 'axes'),
    ]);

    /**
     * Gets a view of one field of each element.
     *
     * @function Shnd.Array#field
     * @param {string} field - the name of a field, or its title
     * @returns {Shnd.Array} a view of the same memory
     */
    wrap(proto, 'field', 1, 1, field => [toText(field, 'field')]);

    /**
     * Gets a view of the same memory as elements of any dtype and layout. They have to be within
     * the memory from the lowest to the highest byte of any element of the array.
     *
     * @function Shnd.Array#asStrided
     * @param {string|Shnd.DType|Function} dtype - what each element of the view is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {number|bigint|Array} strides - the bytes from one element to the next along each
     *   axis; may be negative, or 0
     * @param {number|bigint} [offset] - where the view begins, in bytes from the element whose
     *   indices are all 0; may be negative
     * @returns {Shnd.Array} a view of the same memory
     */
    wrap(proto, 'as_strided', 3, 4, (dtype, shape, strides, offset = 0) => [
        toDType(dtype), toInteger(offset, 'offset'), toShape(shape),
        toShape(strides, 'strides'),
    ]);
    proto.asStrided = proto.as_strided;

    /* ---- One element ---- */

    /**
     * Gets one element.
     *
     * It is a number; a bigint for integers of 64 bits, and for the counts that datetimes and
     * timedeltas are; a boolean; a string for unicode; a Uint8Array of its own for bytes; an Array
     * `[real, imaginary]` for complex numbers; an object with a property for each field of a
     * structured type; and Arrays in Arrays for a field that is a sub-array.
     *
     * @function Shnd.Array#at
     * @param {...(number|bigint)} indices - one index for each axis, counted from 0
     * @returns {*} the element
     */
    define(proto, 'at', 0, Infinity, function (...indices) {
        const type = getType(this);

        indices = toIntegers(indices, 'index');
        if (type.plain)
            return native.get_double.call(this, indices);

        return fromVariant(type, native.get_element.call(this, indices));
    });

    /**
     * Sets one element.
     *
     * Takes what at() gives. Besides, a number that is an integer can stand for a bigint; 0 and 1
     * for a boolean; one number for a complex one; a string for bytes; an Array for the fields of a
     * structured element in their order; and a GLib.Variant for anything.
     *
     * Throws, and changes nothing, if the dtype cannot hold the value: numbers do not wrap around,
     * and no fraction is cut off.
     *
     * @function Shnd.Array#setAt
     * @param {*} value - the new value
     * @param {...(number|bigint)} indices - one index for each axis, counted from 0
     */
    define(proto, 'setAt', 1, Infinity, function (value, ...indices) {
        const type = getType(this);

        indices = toIntegers(indices, 'index');
        if (type.plain && typeof value === 'number')
            native.set_double.call(this, indices, value);
        else
            native.set_element.call(this, indices, toVariant(type, value));
    });

    for (const name of ['get_element', 'get_double'])
        wrap(proto, name, 1, 1, indices => [toIntegers(indices, 'indices')]);

    wrap(proto, 'set_element', 2, 2, (indices, value) => {
        if (!(value instanceof GLib.Variant))
            throw new TypeError(`value: ${show(value)}, expected a GLib.Variant; or use setAt()`);

        return [toIntegers(indices, 'indices'), value];
    });

    wrap(proto, 'set_double', 2, 2, (indices, value) => {
        if (typeof value !== 'number')
            throw new TypeError(`value: ${show(value)}, expected a number`);

        return [toIntegers(indices, 'indices'), value];
    });

    /**
     * Gets one element as an integer.
     *
     * @function Shnd.Array#get_int64
     * @param {Array} indices - one index for each axis, counted from 0
     * @returns {number} the element; throws if a number cannot hold it, in which case at() can
     */
    define(proto, 'get_int64', 1, 1, function (indices) {
        const type = getType(this);
        let value = null;

        indices = toIntegers(indices, 'indices');
        if (type.wide)
            value = fromVariant(type, native.get_element.call(this, indices));
        else if (type.kind === Shnd.DTypeKind.FLOAT)
            value = native.get_double.call(this, indices);

        if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
            throw new RangeError(`${value} is too large for a number: use at()`);

        return type.wide ? Number(value) : native.get_int64.call(this, indices);
    });

    wrap(proto, 'set_int64', 2, 2, (indices, value) => [
        toIntegers(indices, 'indices'), toInteger(value, 'value'),
    ]);

    /* ---- All elements ---- */

    /**
     * Shows the elements as a typed array, in C order.
     *
     * Where the elements lie in C order without gaps, in the machine's byte order, it may be the
     * shared memory itself: GJS 1.74 copies nothing, GJS 1.82 and later copy. Never rely on either:
     * to write, use assign() or setAt(); to see what others wrote, call it again. What a script
     * writes into the typed array of an array that was opened for reading, or into a copy, reaches
     * nobody. The typed array stays valid whatever happens to this object.
     *
     * The class fits the dtype: BigInt64Array and BigUint64Array for integers of 64 bits,
     * BigInt64Array for the counts that datetimes and timedeltas are, and Uint8Array for bool.
     * `f2` is converted to Float32Array, `long double` to Float64Array. Complex numbers are
     * Float32Array or Float64Array, with real and imaginary parts in turn. Bytes, unicode, raw
     * bytes and structured elements are the bytes themselves in a Uint8Array.
     *
     * @function Shnd.Array#toTypedArray
     * @returns {TypedArray} the elements
     */
    define(proto, 'toTypedArray', 0, 0, function () {
        return toTypedArray(this);
    });

    /**
     * Sets all elements.
     *
     * From a typed array with as many elements, in C order, whose numbers are converted as in C (an
     * integer that does not fit keeps its lowest bits); for complex numbers also one that is twice
     * as long, with real and imaginary parts in turn; for bytes, unicode, raw bytes and structured
     * elements a Uint8Array of all bytes.
     *
     * From an Array, in C order or of Arrays as the shape says, of values as setAt() takes them.
     *
     * From an ArrayBuffer, a DataView or a GLib.Bytes: the bytes of all elements, in C order.
     *
     * From another Shnd.Array, converted and repeated as copy_from() does.
     *
     * Throws, and changes nothing, if the source does not fit.
     *
     * @function Shnd.Array#assign
     * @param {TypedArray|Array|ArrayBuffer|DataView|GLib.Bytes|Shnd.Array} source - the values
     */
    define(proto, 'assign', 1, 1, function (source) {
        assign(this, source);
    });

    /**
     * Sets all elements to one value.
     *
     * @function Shnd.Array#fill
     * @param {*} value - the value, as setAt() takes it
     * @returns {boolean} true
     */
    wrap(proto, 'fill', 1, 1, function (value) {
        return [toVariant(getType(this), value)];
    });

    /**
     * Walks along the first axis: over the elements of an array with one dimension, otherwise over
     * views with one dimension less.
     *
     * @function Shnd.Array#[Symbol.iterator]
     * @yields {*} an element, or a view
     */
    define(proto, Symbol.iterator, 0, 0, function* () {
        const {shape} = this;

        if (shape.length === 0)
            throw new TypeError('An array without dimensions has no axis to walk along');
        for (let i = 0; i < shape[0]; i++)
            yield shape.length === 1 ? this.at(i) : this.index(0, i);
    });

    /**
     * Gets the elements as bytes.
     *
     * GJS lets scripts write into what it makes of bytes; if the array was opened for reading, they
     * are therefore a mapping of their own, as get_cow_bytes() gives.
     *
     * @function Shnd.Array#get_bytes
     * @returns {GLib.Bytes} the bytes, as they lie in memory
     */
    define(proto, 'get_bytes', 0, 0, function () {
        return isReadOnly(this) ? this.get_cow_bytes() : native.get_bytes.call(this);
    });

    /**
     * Gets the memory from the lowest to the highest byte of any element; a copy if the array was
     * opened for reading.
     *
     * @function Shnd.Array#get_memory
     * @returns {Array} the memory as GLib.Bytes, and where in it the first element begins
     */
    define(proto, 'get_memory', 0, 0, function () {
        const [bytes, offset] = native.get_memory.call(this);

        return [isReadOnly(this) ? new GLib.Bytes(bytes.toArray()) : bytes, offset];
    });

    wrap(proto, 'get_cow_bytes', 0, 0, () => []);
    forbid(proto, 'get_data', 'use toTypedArray()');

    /**
     * Sets all elements from bytes, in the order in which they lie in memory.
     *
     * @function Shnd.Array#write_bytes
     * @param {GLib.Bytes|TypedArray|DataView|ArrayBuffer} bytes - as many bytes as the array has
     * @returns {boolean} true
     */
    wrap(proto, 'write_bytes', 1, 1, bytes => [toBytes(bytes, 'bytes')]);

    wrap(proto, 'copy_from', 1, 1, source => {
        if (!(source instanceof ArrayClass))
            throw new TypeError(`source: ${show(source)}, expected a Shnd.Array; or use assign()`);

        return [source];
    });

    addDescriptors(Shnd);
    addFiles(Shnd);
    addFrames(Shnd, toDType);
    addSynchronization(Shnd);

    /* ---- Dtypes ---- */

    /**
     * Makes a dtype.
     *
     * @function Shnd.DType.new
     * @param {string|Shnd.DType|Function} description - in NumPy's notation, or a class of typed
     *   arrays
     * @returns {Shnd.DType} the dtype
     */
    define(DType, 'new', 1, 1, description => toDType(description));

    /**
     * The canonical description, as `.npy` files hold it.
     *
     * @function Shnd.DType#toString
     * @returns {string} the description
     */
    define(dtypeProto, 'toString', 0, 0, function () {
        return this.to_string();
    });

    for (const name of [
        'get_field_name', 'get_field_title', 'get_field_dtype', 'get_field_offset',
    ])
        wrap(dtypeProto, name, 1, 1, index => [toUint32(index, 'index')]);

    wrap(dtypeProto, 'find_field', 1, 1, name => [toText(name, 'name')]);

    /* GJS holds the reference of its object itself; with one taken from it, it would crash. */
    for (const name of ['ref', 'unref'])
        forbid(dtypeProto, name, 'JavaScript frees what is not used any more');
}
