#if MySQL
import CMariaDB

/// Arguments in the form the library reads them.
@safe struct MySQLArguments: ~Copyable {
    /// unsafe: both are owned by this value; the binds point into the bytes.
    let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ values: [SQLValue]) {
        // Eight bytes for each number come first, so that they are aligned; texts follow.
        let words = values.count * MemoryLayout<Int64>.stride
        let texts = values.reduce(0) { sum, value in if case .text(let text) = value { sum + text.utf8.count } else { sum } }
        unsafe binds = .allocate(capacity: values.count)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe bytes = .allocate(byteCount: words + texts, alignment: MemoryLayout<Int64>.alignment)
        var end = words
        for (index, value) in values.enumerated() {
            switch value {
            case .null, .foreign:
                unsafe binds[index].buffer_type = MYSQL_TYPE_NULL
            case .integer(let number):
                let offset = index * MemoryLayout<Int64>.stride
                unsafe bytes.storeBytes(of: number, toByteOffset: offset, as: Int64.self)
                unsafe binds[index].buffer_type = MYSQL_TYPE_LONGLONG
                unsafe binds[index].buffer = unsafe bytes.baseAddress.map { unsafe $0 + offset }
            case .text(let text):
                let count = text.utf8.count
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[end..<(end + count)]).copyBytes(from: text.utf8)
                unsafe binds[index].buffer_type = MYSQL_TYPE_STRING
                unsafe binds[index].buffer = unsafe bytes.baseAddress.map { unsafe $0 + end }
                unsafe binds[index].buffer_length = UInt(count)
                end += count
            }
        }
    }

    deinit {
        unsafe binds.deallocate()
        unsafe bytes.deallocate()
    }
}
#endif
