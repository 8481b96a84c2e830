#if MySQL
import CMariaDB

/// Where the library writes a row's values, as the columns' descriptions ask for.
@safe struct MySQLColumns: ~Copyable {
    private enum Kind { case signed, unsigned, number, text, bytes, unknown }

    /// Longer values are not read: none of ours can be.
    private static let maximum: UInt = 64 << 20

    /// unsafe: all are owned by this value; the binds point into the others.
    let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let buffers: [UnsafeMutableRawBufferPointer]
    private let kinds: [Kind]

    /// - Parameter fields: of a result that was stored, so that each tells its longest value.
    init(_ fields: UnsafeMutablePointer<MYSQL_FIELD>?, count: Int) {
        let fields = unsafe UnsafeMutableBufferPointer(start: fields, count: fields == nil ? 0 : count)
        unsafe binds = .allocate(capacity: fields.count)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe lengths = .allocate(capacity: fields.count)
        unsafe lengths.initialize(repeating: 0)
        unsafe nulls = .allocate(capacity: fields.count)
        unsafe nulls.initialize(repeating: 0)
        unsafe kinds = fields.map { unsafe MySQLColumns.kind(of: $0) }
        unsafe buffers = unsafe fields.map { field in
            let size = unsafe max(16, min(field.max_length, MySQLColumns.maximum))
            return .allocate(byteCount: Int(size), alignment: MemoryLayout<Int64>.alignment)
        }
        for index in kinds.indices {
            let isNumber = kinds[index] == .signed || kinds[index] == .unsigned
            unsafe binds[index].buffer_type = isNumber ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING
            unsafe binds[index].is_unsigned = kinds[index] == .unsigned ? 1 : 0
            unsafe binds[index].buffer = buffers[index].baseAddress
            unsafe binds[index].buffer_length = UInt(buffers[index].count)
            unsafe binds[index].length = lengths.baseAddress.map { unsafe $0 + index }
            unsafe binds[index].is_null = nulls.baseAddress.map { unsafe $0 + index }
        }
    }

    deinit {
        unsafe binds.deallocate()
        unsafe lengths.deallocate()
        unsafe nulls.deallocate()
        unsafe buffers.forEach { unsafe $0.deallocate() }
    }

    /// The row that was fetched last.
    var row: [SQLValue] {
        var row: [SQLValue] = []
        for index in kinds.indices { row.append(value(index)) }
        return row
    }

    private borrowing func value(_ index: Int) -> SQLValue {
        if unsafe nulls[index] != 0 { return .null }
        let buffer = unsafe buffers[index]
        switch kinds[index] {
        case .signed: return .integer(unsafe buffer.load(as: Int64.self))
        case .unsigned:
            let number = unsafe buffer.load(as: UInt64.self)
            return Int64(exactly: number).map(SQLValue.integer) ?? .foreign("the number \(number)")
        case .number, .text, .bytes, .unknown: break
        }
        let length = Int(clamping: unsafe lengths[index])
        guard length <= buffer.count else { return .foreign("\(length) bytes") }
        if kinds[index] == .bytes { return .foreign("\(length) bytes of binary data") }
        guard let text = unsafe String(validating: buffer.prefix(length), as: UTF8.self) else {
            return .foreign("text that is no UTF-8")
        }
        switch kinds[index] {
        case .text: return .text(text)
        // A sum of whole numbers is a DECIMAL.
        case .number: return Int64(text).map(SQLValue.integer) ?? .foreign("the number \(text)")
        default: return .foreign("a value of another kind")
        }
    }

    private static func kind(of field: MYSQL_FIELD) -> Kind {
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            unsafe field.flags & UInt32(UNSIGNED_FLAG) == 0 ? .signed : .unsigned
        case MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE: .number
        case MYSQL_TYPE_VARCHAR, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_STRING, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB,
            MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB:
            // The character set with the number 63 is "binary".
            unsafe field.charsetnr == 63 ? .bytes : .text
        default: .unknown
        }
    }
}
#endif
