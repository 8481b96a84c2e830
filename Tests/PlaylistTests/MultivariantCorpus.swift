/// Multivariant playlists as packagers write them: what ffmpeg, Shaka Packager, Bento4, GPAC, Elemental and Apple's tools make, shortened.
enum MultivariantCorpus {
    static let texts: [(name: String, text: String)] = [
        (
            "ffmpeg -master_pl_name",
            """
            #EXTM3U
            #EXT-X-VERSION:3
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2"
            v0/index.m3u8

            #EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.64000d,mp4a.40.2"
            v1/index.m3u8

            """
        ),
        ("one variant and no version", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000\nchunklist.m3u8"),
        (
            "alternate audio",
            """
            #EXTM3U
            #EXT-X-VERSION:4
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="audio/en.m3u8",CHANNELS="2"
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="audio/de.m3u8",CHANNELS="2"
            #EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1800000,CODECS="avc1.640020,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="aud"
            video/720.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="aud"
            video/360.m3u8
            """
        ),
        (
            "two audio qualities, the same video twice",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="en",DEFAULT=YES,URI="a64.m3u8"
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="en",DEFAULT=YES,URI="a192.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1064000,AUDIO="lo"
            v.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=1192000,AUDIO="hi"
            v.m3u8
            """
        ),
        (
            "audio muxed into one rendition, without URI",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Original",LANGUAGE="ja",DEFAULT=YES
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Commentary",LANGUAGE="en",URI="commentary.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a"
            main.m3u8
            """
        ),
        (
            "subtitles",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,LANGUAGE="en",CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog, public.accessibility.describes-music-and-sound",URI="subs/en.m3u8"
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="Forced",FORCED=YES,LANGUAGE="en",URI="subs/forced.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,SUBTITLES="subs"
            v.m3u8
            """
        ),
        (
            "closed captions",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",LANGUAGE="en",INSTREAM-ID="CC1",DEFAULT=YES
            #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC3",LANGUAGE="es",INSTREAM-ID="CC3"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,CLOSED-CAPTIONS="cc"
            v.m3u8
            """
        ),
        ("no closed captions", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=NONE\nv.m3u8\n"),
        (
            "I-frame playlists",
            """
            #EXTM3U
            #EXT-X-VERSION:6
            #EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="hvc1.2.4.L123.B0",RESOLUTION=1920x1080,VIDEO-RANGE=PQ,HDCP-LEVEL=TYPE-1
            hdr/prog.m3u8
            #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,CODECS="hvc1.2.4.L123.B0",RESOLUTION=1920x1080,VIDEO-RANGE=PQ,URI="hdr/iframe.m3u8"
            #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.64001f",RESOLUTION=640x360,URI="sdr/iframe.m3u8"
            """
        ),
        (
            "video angles",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="low",NAME="Main",DEFAULT=YES,URI="low/main.m3u8"
            #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="low",NAME="Dugout",DEFAULT=NO,URI="low/dugout.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.64001f",VIDEO="low"
            low/main.m3u8
            """
        ),
        (
            "image playlists",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            v.m3u8
            #EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9000,RESOLUTION=320x180,CODECS="jpeg",URI="thumbs/tiles.m3u8"
            """
        ),
        (
            "CR LF, a byte order mark, comments, tabs at the ends",
            "\u{FEFF}#EXTM3U\r\n# made by hand\r\n#EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"x\"  \r\n#comment\r\nv.m3u8\t\r\n\r\n"
        ),
        (
            "absolute URLs of this CDN",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            http://cdn-a.example/s1/film/720.m3u8
            """
        ),
        (
            "redundant variants at each CDN",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=1280x720
            http://cdn-a.example/s1/film/720.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=1280x720
            HTTPS://CDN-B.example/films/s1/film/720.m3u8
            """
        ),
        (
            "redundant variants of the packager",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            primary/720.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            backup/720.m3u8
            """
        ),
        (
            "queries with tokens",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            720.m3u8?token=a%2Fb&x=1,2&y=(z)
            #EXT-X-STREAM-INF:BANDWIDTH=500000
            360.m3u8?token=a%2Fb
            """
        ),
        (
            "relative URIs with dots",
            """
            #EXTM3U
            #EXT-X-STREAM-INF:BANDWIDTH=3
            ./a/./720.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=2
            ../other/720.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=1
            a/b/../../360.m3u8
            """
        ),
        (
            "FairPlay session keys",
            """
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://key-1",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            v.m3u8
            """
        ),
        (
            "Widevine session keys in data URIs",
            """
            #EXTM3U
            #EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAAW3Bzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAADsIARIQ",KEYID=0x0123456789ABCDEF,KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            v.m3u8
            """
        ),
        (
            "AES-128 session key that lies beside it",
            """
            #EXTM3U
            #EXT-X-SESSION-KEY:METHOD=AES-128,URI="keys/1.key"
            #EXT-X-SESSION-DATA:DATA-ID="com.example.title",LANGUAGE="en",VALUE="A, \\"film"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            v.m3u8
            """.replacing("\\\"", with: "")
        ),
        (
            "session data",
            """
            #EXTM3U
            #EXT-X-SESSION-DATA:DATA-ID="com.example.chapters",URI="chapters.json"
            #EXT-X-SESSION-DATA:DATA-ID="com.example.title",LANGUAGE="en",VALUE="Title, with a comma"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000
            v.m3u8
            """
        ),
        (
            "variables",
            """
            #EXTM3U
            #EXT-X-VERSION:8
            #EXT-X-DEFINE:NAME="path",VALUE="v/720"
            #EXT-X-DEFINE:NAME="g",VALUE="aud"
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{$g}",NAME="en",URI="{$path}/audio.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="{$g}"
            {$path}/video.m3u8
            """
        ),
        (
            "a start, unknown tags and attributes, scores",
            """
            #EXTM3U
            #EXT-X-START:TIME-OFFSET=-12.5,PRECISE=YES
            #EXT-X-SOMETHING-NEW
            #EXT-X-OTHER:not a list, "at all
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,SCORE=2.5,X-COM-EXAMPLE="a,b=c",REQ-VIDEO-LAYOUT="CH-STEREO",SUPPLEMENTAL-CODECS="dvh1.08.07/db4h"
            v.m3u8
            """
        ),
        (
            "stable identifiers of the packager",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="a.m3u8",STABLE-RENDITION-ID="audio/en"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a",STABLE-VARIANT-ID="v+720=1"
            v.m3u8
            """
        ),
        (
            "another host's subtitles",
            """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",URI="https://subtitles.example/en.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,SUBTITLES="s"
            v.m3u8
            """
        ),
        (
            "low latency, many renditions",
            "#EXTM3U\n#EXT-X-VERSION:9\n"
                + (0..<40).map { "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\($0 % 4)\",NAME=\"n\($0)\",URI=\"a\($0).m3u8\"\n" }.joined()
                + (0..<30).map { "#EXT-X-STREAM-INF:BANDWIDTH=\($0 + 1)000,AUDIO=\"g\($0 % 4)\"\nv\($0).m3u8\n" }.joined()
        ),
        (
            "words of many languages",
            "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ton\",NAME=\"Русский 日本語\",URI=\"ton.m3u8\"\n"
                + "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"ton\"\nфильм.m3u8\n"
        ),
    ]
}
