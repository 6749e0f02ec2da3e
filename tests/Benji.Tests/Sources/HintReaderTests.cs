using System.Globalization;
using System.Text;
using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Sources;

public sealed class HintReaderTests
{
    private const long Size = 1L << 40;

    [Fact]
    public void WhatRbdPrintsIsRead()
    {
        var map = Read("""
            [{"offset":0,"length":4194304,"exists":"true"},{"offset":8388608,"length":4194304,"exists":"false"},
            {"offset":12582912,"length":100,"exists":true},{"length":5,"exists":false,"offset":99}]
            """);
        Assert.Equal(
            [
                new Extent(0, 4194304, ExtentKind.Data),
                new Extent(8388608, 4194304, ExtentKind.Hole),
                new Extent(12582912, 100, ExtentKind.Data),
            ],
            map.Extents);
    }

    [Fact]
    public void AnEmptyListSaysThatNothingChanged() => Assert.Equal(0, Read(" [ ] ").Count);

    [Fact]
    public void OtherMembersAreIgnored() =>
        Assert.Equal(
            [new Extent(1, 2, ExtentKind.Data)],
            Read("""[{"a":{"offset":[1,{"length":2}]},"offset":1,"b":null,"length":2,"exists":true,"c":[[]]}]""").Extents);

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[", "not valid JSON")]
    [InlineData("[] []", "not valid JSON")]
    [InlineData("[{\"offset\":1,]", "not valid JSON: line 1, byte 14, behind extent 1")]
    [InlineData("{}", "the outermost value is no array")]
    [InlineData("7", "the outermost value is no array")]
    [InlineData("[1]", "element 1 is no object")]
    [InlineData("[[]]", "element 1 is no object")]
    [InlineData("[{}]", "extent 1 lacks offset, length or exists")]
    [InlineData("[{\"offset\":0,\"length\":1}]", "extent 1 lacks offset, length or exists")]
    [InlineData("[{\"offset\":0,\"offset\":0,\"length\":1,\"exists\":true}]", "extent 1 has 'offset' twice")]
    [InlineData("[{\"offset\":[0],\"length\":1,\"exists\":true}]", "'offset' of extent 1 is no")]
    [InlineData("[{\"offset\":\"0\",\"length\":1,\"exists\":true}]", "'offset' of extent 1 is no whole number")]
    [InlineData("[{\"offset\":0,\"length\":-1,\"exists\":true}]", "'length' of extent 1 is no whole number")]
    [InlineData("[{\"offset\":0,\"length\":1.5,\"exists\":true}]", "'length' of extent 1 is no whole number")]
    [InlineData("[{\"offset\":0,\"length\":9223372036854775808,\"exists\":true}]", "'length' of extent 1 is no whole")]
    [InlineData("[{\"offset\":0,\"length\":1,\"exists\":\"yes\"}]", "'exists' of extent 1 is neither true nor false")]
    [InlineData("[{\"offset\":0,\"length\":1,\"exists\":1}]", "'exists' of extent 1 is neither true nor false")]
    [InlineData("[{\"offset\":9223372036854775807,\"length\":9223372036854775807,\"exists\":true}]", "ends behind")]
    [InlineData(
        "[{\"offset\":0,\"length\":1,\"exists\":true},{\"offset\":1099511627776,\"length\":1,\"exists\":false}]",
        "extent 2 (offset 1099511627776, length 1) ends behind the source's 1099511627776 bytes")]
    public void BadHintsAreRefusedWithTheirPlace(string text, string message)
    {
        var error = Assert.Throws<InputDataException>(() => Read(text));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("'hints'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExtentMayEndAtTheSize() =>
        Assert.Equal(
            [new Extent(Size - 1, 1, ExtentKind.Data)],
            Read($$"""[{"offset":{{Size - 1}},"length":1,"exists":true}]""").Extents);

    [Fact]
    public void ATokenWithoutEndIsRefusedWithinBounds()
    {
        using var endless = new PatternStream("[\""u8.ToArray(), Enumerable.Repeat((byte)'a', 5000).ToArray(), long.MaxValue);
        var error = Assert.Throws<InputDataException>(() => HintReader.Read(endless, "hints", Size));
        Assert.Contains("more than 65536 bytes", error.Message, StringComparison.Ordinal);
        Assert.InRange(endless.Given, 65536, 131072);
    }

    [Fact]
    public void AFileThatIsTooLongIsRefused()
    {
        using var exact = new PatternStream("["u8.ToArray(), "      ]"u8.ToArray(), 8);
        Assert.Equal(0, HintReader.Read(exact, "hints", Size, lengthMax: 8).Count);
        using var longer = new PatternStream(" ["u8.ToArray(), "      ]"u8.ToArray(), 9);
        var error = Assert.Throws<InputDataException>(() => HintReader.Read(longer, "hints", Size, lengthMax: 8));
        Assert.Contains("longer than the 8 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFileIsNotFound()
    {
        using var directory = new TemporaryDirectory();
        Assert.Throws<NotFoundException>(() => HintReader.ReadFile(directory["none"], Size));
        Assert.Throws<NotFoundException>(() => HintReader.ReadFile(directory["none/none"], Size));
        Assert.Throws<StorageException>(() => HintReader.ReadFile(directory.Path, Size));
    }

    [Fact]
    public void AnyListEqualsTheMapOfBytesHoweverItIsCutIntoReads() => Seeded.Run(random =>
    {
        for (var round = 0; round < 300; round++)
        {
            var model = new ExtentKind?[200];
            var elements = new List<string>();
            for (var i = random.Next(8); i > 0; i--)
            {
                var offset = random.Next(200);
                var extent = new Extent(offset, random.Next(200 - offset), (ExtentKind)random.Next(2));
                HintMapTests.Apply(model, extent);
                elements.Add(Element(random, extent));
            }

            using var stream = new ChoppedStream(Encoding.UTF8.GetBytes($"[{string.Join(',', elements)}]"), random);
            HintMapTests.AssertEqual(model, 0, 200, HintReader.Read(stream, "hints", 200).Extents);
        }
    });

    [Fact]
    public void AnyBytesAreReadOrRefused() => Seeded.Run(random =>
    {
        string[] tokens =
        [
            "[", "]", "{", "}", ",", ":", "\"offset\"", "\"length\"", "\"exists\"", "0", "17", "-1", "true", "\"false\"",
            "null", "1e3", "\"\\ud800\"", "\"\\u006cength\"", "[{\"offset\":1,\"length\":2,\"exists\":true}", " ", "\n",
        ];
        for (var round = 0; round < 20000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => tokens[random.Next(tokens.Length)]));
            var bytes = Encoding.UTF8.GetBytes(random.Next(2) == 0 ? $"[{{{text}" : text);
            for (var flips = random.Next(3); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            using var stream = new ChoppedStream(bytes, random);
            try
            {
                Assert.InRange(HintReader.Read(stream, "hints", 100).Count, 0, 20);
            }
            catch (InputDataException error)
            {
                Assert.InRange(error.Message.Length, 20, 300);
            }
        }
    });

    private static string Element(Random random, Extent extent)
    {
        var exists = extent.Kind == ExtentKind.Data ? "true" : "false";
        string[] members =
        [
            string.Create(CultureInfo.InvariantCulture, $"\"offset\": {extent.Offset}"),
            string.Create(CultureInfo.InvariantCulture, $"\"length\" :{extent.Length}"),
            random.Next(2) == 0 ? $"\"exists\":{exists}" : $"\"exists\":\"{exists}\"",
            "\"other\":{\"offset\":[-1]}",
        ];
        random.Shuffle(members);
        return $"{{{string.Join(",\n", members)}}}";
    }

    private static HintMap Read(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return HintReader.Read(stream, "hints", Size);
    }
}
