/// Which release this program is, as `--version`, the metrics and the fleet name it.
public enum Version {
    public static let current = "0.1.0"
}
