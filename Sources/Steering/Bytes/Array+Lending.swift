extension Array where Element: AnyObject {
    /// Lends the object at `index` for the call, without a reference taken: workers would write its count for each other.
    @inline(__always)
    func lending<Value, Failure: Error>(_ index: Int, to body: (Element) throws(Failure) -> Value) throws(Failure) -> Value {
        // The array holds the object, and it is borrowed for the call.
        let result: Result<Value, Failure> = unsafe Unmanaged.passUnretained(self[index])._withUnsafeGuaranteedRef { object in
            do throws(Failure) { return .success(try body(object)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
