using System.Text;
using Benji.Interop.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Reader;

/// <summary>The Python reader, written from docs/format.md alone, restores every kind of version.</summary>
public sealed class IndependentReaderTests : IDisposable
{
    private const int BlockSize = 1 << 20;
    private const int Frame = 1 << 16;

    private readonly BenjiProgram _benji = new();
    private readonly Dictionary<string, byte[]> _versions = [];
    private readonly List<string> _options = [];
    private readonly List<string> _readerKey = [];

    /// <summary>Which transforms and which key a store has.</summary>
    public enum Mode
    {
        Plain,
        Compressed,
        Encrypted,
        CompressedAndEncrypted,
        Password,
    }

    private string StoragePath => Path.Combine(_benji.Home, "storage");

    [Theory]
    [InlineData(Mode.Plain)]
    [InlineData(Mode.Compressed)]
    [InlineData(Mode.Encrypted)]
    [InlineData(Mode.CompressedAndEncrypted)]
    [InlineData(Mode.Password)]
    public async Task EveryKindOfVersionIsReadBackFromTheStorageAlone(Mode mode)
    {
        await PrepareAsync(mode);
        await BackUpDeltasAsync(mode == Mode.CompressedAndEncrypted ? 6 : 1);
        if (mode == Mode.CompressedAndEncrypted)
        {
            await BackUpOtherKindsAsync();
        }

        var listed = await ReadAsync("--list");
        Assert.Equal(_versions.Keys.Order(StringComparer.Ordinal), Names(listed).Order(StringComparer.Ordinal));
        foreach (var (name, content) in _versions)
        {
            await ReadAsync(name, _benji["out.img"]);
            var read = await File.ReadAllBytesAsync(_benji["out.img"]);
            Assert.True(read.AsSpan().SequenceEqual(content), $"{name} reads as something else, store {mode}.");
        }
    }

    [Fact]
    public async Task TheReaderRefusesADamagedObjectAndAnotherKey()
    {
        await PrepareAsync(Mode.CompressedAndEncrypted);
        await BackUpAsync("vm", "a", Pattern(3 * Frame, seed: 5));
        var blocks = Path.Combine(StoragePath, "blocks");
        var block = Directory.EnumerateFiles(blocks, "*", SearchOption.AllDirectories).Single();
        using (var file = new FileStream(block, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = file.Length - 1;
            var last = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)(last ^ 1));
        }

        var damaged = await RunReaderAsync("vm/a", _benji["out.img"]);
        Assert.Equal((65, true), (damaged.ExitCode, damaged.Error.Contains("authenticate", StringComparison.Ordinal)));
        await RunAsync("key", "new", _benji["other.key"]);
        _readerKey[1] = _benji["other.key"];
        var refused = await RunReaderAsync("--list");
        Assert.Equal((65, true), (refused.ExitCode, refused.Error.Contains("wrong check", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhereAWholeObjectIsDamagedTheReaderAndTheProgramReadTheDelta(bool isStray)
    {
        await PrepareAsync(Mode.CompressedAndEncrypted);
        await BackUpDeltasAsync(1);
        var delta = Directory.EnumerateFiles(StoragePath, "*.d", SearchOption.AllDirectories).First();
        if (isStray)
        {
            await File.WriteAllBytesAsync(delta[..^2], new byte[5000]);
        }
        else
        {
            // Marked as damaged, the block is stored again, whole; that object rots, and the delta is what it was.
            var bytes = await File.ReadAllBytesAsync(delta);
            await File.WriteAllBytesAsync(delta, bytes[..^1]);
            Assert.Equal(65, (await _benji.RunAsync("scrub", "vm/disk/v1")).ExitCode);
            await BackUpAsync("vm/disk", "again", _versions["vm/disk/v1"]);
            await File.WriteAllBytesAsync(delta, bytes);
            bytes = await File.ReadAllBytesAsync(delta[..^2]);
            bytes[^3] ^= 1;
            await File.WriteAllBytesAsync(delta[..^2], bytes);
        }

        foreach (var name in _versions.Keys)
        {
            await ReadAsync(name, _benji["out.img"]);
            Assert.Equal(_versions[name], await File.ReadAllBytesAsync(_benji["out.img"]));
            await RunAsync("restore", "--force", name, _benji["out.img"]);
            Assert.Equal(_versions[name], await File.ReadAllBytesAsync(_benji["out.img"]));
        }
    }

    public void Dispose() => _benji.Dispose();

    private static IEnumerable<string> Names(string listed) =>
        listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]);

    private async Task PrepareAsync(Mode mode)
    {
        switch (mode)
        {
            case Mode.Compressed:
                break;
            case Mode.Password:
                await File.WriteAllTextAsync(_benji["password"], "correct horse battery\n");
                _benji.Variables["BENJI_PASSWORD_FILE"] = _benji["password"];
                _readerKey.AddRange(["--password-file", _benji["password"]]);
                break;
            case Mode.CompressedAndEncrypted:
                await MakeKeyAsync();
                _benji.Variables["BENJI_KEY_FILE"] = _benji["key"];
                break;
            case Mode.Encrypted:
                await MakeKeyAsync();
                await ConfigureAsync(
                    "[aes]",
                    $"[ {{ name: aes, module: aes_256_gcm, configuration: {{ masterKeyFile: {_benji["key"]} }} }} ]");
                break;
            default:
                await ConfigureAsync("[]", "[]");
                break;
        }
    }

    private async Task MakeKeyAsync()
    {
        await RunAsync("key", "new", _benji["key"]);
        _readerKey.AddRange(["--key-file", _benji["key"]]);
    }

    private async Task ConfigureAsync(string active, string transforms)
    {
        await File.WriteAllTextAsync(
            _benji["benji.yaml"],
            $$"""
            configurationVersion: '1'
            databaseEngine: litedb://{{_benji.Home}}/catalog.db
            defaultStorage: main
            storages:
              - name: main
                module: file
                configuration: { path: {{StoragePath}}, activeTransforms: {{active}} }
            transforms: {{transforms}}
            """);
        _options.AddRange(["-c", _benji["benji.yaml"]]);
    }

    // Whole blocks, holes, a short last block, and deltas with one lender, then with more, at last with too many.
    private async Task BackUpDeltasAsync(int changes)
    {
        var disk = Pattern((9 * BlockSize) + 1234, seed: 1);
        disk.AsSpan(2 * BlockSize, 2 * BlockSize).Clear();
        disk.AsSpan((5 * BlockSize) + Frame, 3 * Frame).Clear();
        await BackUpAsync("vm/disk", "v0", disk);
        for (var change = 1; change <= changes; change++)
        {
            disk = [.. disk];
            disk[BlockSize + (change * Frame) + change] ^= 0x55;
            disk[(5 * BlockSize) + ((change % 3) * Frame)] = (byte)change;
            disk.AsSpan((6 * BlockSize) + (change * Frame), Frame).Clear();
            await BackUpAsync("vm/disk", $"v{change}", disk);
        }

        Assert.NotEmpty(Directory.EnumerateFiles(StoragePath, "*.d", SearchOption.AllDirectories));
    }

    // Growth, shrinking, a copy, nothing, zeros, one byte, and a map of two levels.
    private async Task BackUpOtherKindsAsync()
    {
        var disk = _versions["vm/disk/v6"];
        await BackUpAsync("vm/disk", "grown", [.. disk, .. Pattern(BlockSize, seed: 2)]);
        await BackUpAsync("vm/disk", "shrunk", disk[..((3 * BlockSize) - 1)]);
        await BackUpAsync("vm/copy", "v0", disk);
        await BackUpAsync("empty", "v0", []);
        await BackUpAsync("zeros", "v0", new byte[BlockSize + 1]);
        await BackUpAsync("byte", "v0", [7]);
        await BackUpAsync("deep", "v0", Pattern(300 * Frame, seed: 3), "-b", "65536");
    }

    private async Task BackUpAsync(string volume, string version, byte[] content, params string[] options)
    {
        using (var file = new FileStream(_benji["disk.img"], FileMode.Create, FileAccess.Write))
        {
            file.Write(content);
        }

        string[] blockSize = options.Length > 0 ? options : ["-b", $"{BlockSize}"];
        await RunAsync(["backup", "-u", version, .. blockSize, _benji["disk.img"], volume]);
        _versions[$"{volume}/{version}"] = content;
    }

    private async Task RunAsync(params string[] arguments)
    {
        var result = await _benji.RunAsync([.. _options, .. arguments]);
        Assert.True(result.ExitCode == 0, $"benji {string.Join(' ', arguments)}: {result.Error}");
    }

    private async Task<string> ReadAsync(params string[] arguments)
    {
        var result = await RunReaderAsync(arguments);
        Assert.True(result.ExitCode == 0, $"read_store.py {string.Join(' ', arguments)}: {result.Error}");
        return result.Output;
    }

    private Task<ProgramResult> RunReaderAsync(params string[] arguments) =>
        _benji.RunAsync(
            Repository.PathOf("tests", "reader", "read_store.py"), [.. _readerKey, StoragePath, .. arguments]);

    // Half of the frames compress, half do not.
    private static byte[] Pattern(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        var text = Encoding.ASCII.GetBytes($"The quick brown fox {seed} jumps over the lazy dog. ");
        for (var offset = Frame; offset < length; offset += 2 * Frame)
        {
            for (var i = offset; i < Math.Min(length, offset + Frame); i++)
            {
                content[i] = text[(i + (i / 997)) % text.Length];
            }
        }

        return content;
    }
}
