using System.Runtime.InteropServices;
using System.Text;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Mount.Session;

/// <summary>A session over any images whose kernel is the test.</summary>
internal sealed class ServedImages : IAsyncDisposable
{
    private readonly MountSession _session;

    private ServedImages(MountSession session, MemoryChannel channel) => (_session, Channel) = (session, channel);

    /// <summary>The kernel's side.</summary>
    public MemoryChannel Channel { get; }

    /// <summary>Starts a session as the kernel does.</summary>
    public static async Task<ServedImages> StartAsync(
        IImageDirectory images, bool isReadOnly = false, int readers = 2, TimeProvider? clock = null)
    {
        var channel = new MemoryChannel();
        var options = new SessionOptions(new NodeAccess(0, 0, 0x3F), isReadOnly, readers, TimeSpan.FromMilliseconds(20));
        var tree = new ImageTree(images);
        await tree.RefreshAsync(CancellationToken.None);
        var session = new MountSession(channel, images, tree, options, NullLogger.Instance, clock ?? TimeProvider.System);
        var agreed = session.StartAsync(CancellationToken.None);
        var (errno, body) = await channel.AskAsync(FuseRequest.Bytes(
            Opcode.Init,
            node: 0,
            FuseRequest.Of(new InitRequest { Major = 7, Minor = 45, Flags = uint.MaxValue, Flags2 = uint.MaxValue })));
        Assert.Equal((0, 64), (errno, body.Length));
        await agreed;
        return new ServedImages(session, channel);
    }

    /// <summary>Asks for something that is answered with a structure.</summary>
    public async Task<T> AskAsync<T>(Opcode opcode, ulong node, params byte[][] body)
        where T : unmanaged
    {
        var (errno, answer) = await Channel.AskAsync(FuseRequest.Bytes(opcode, node, body));
        Assert.Equal(0, errno);
        return MemoryMarshal.Read<T>(answer);
    }

    /// <summary>Asks for something and returns the error number.</summary>
    public async Task<int> ErrorAsync(Opcode opcode, ulong node, params byte[][] body) =>
        (await Channel.AskAsync(FuseRequest.Bytes(opcode, node, body))).Errno;

    /// <summary>Finds a path.</summary>
    /// <returns>The last answer; node 0 when there is no such name.</returns>
    public async Task<EntryReply> FindAsync(string path)
    {
        var entry = new EntryReply { Node = NodeIds.Root };
        foreach (var name in path.Split('/'))
        {
            if (entry.Node == 0)
            {
                break;
            }

            entry = await AskAsync<EntryReply>(Opcode.Lookup, entry.Node, Name(name));
        }

        return entry;
    }

    /// <summary>Opens a path.</summary>
    public async Task<ulong> OpenAsync(string path, uint flags = 0)
    {
        var node = (await FindAsync(path)).Node;
        var opened = await AskAsync<OpenReply>(Opcode.Open, node, FuseRequest.Of(new OpenRequest { Flags = flags }));
        Assert.Equal(node, opened.Handle);
        return node;
    }

    /// <summary>Reads from a node.</summary>
    public async Task<(int Errno, byte[] Bytes)> ReadAsync(ulong node, long offset, int length) =>
        await Channel.AskAsync(FuseRequest.Bytes(Opcode.Read, node, Transfer(offset, length)));

    /// <summary>The body of a read, or the head of that of a write; a negative offset stands for one above 2^63.</summary>
    public static byte[] Transfer(long offset, int length) =>
        FuseRequest.Of(new TransferRequest { Offset = unchecked((ulong)offset), Size = (uint)length });

    /// <summary>A name as the kernel writes it.</summary>
    public static byte[] Name(string name) => [.. Encoding.UTF8.GetBytes(name), 0];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Channel.End();
        await _session.EndAsync(wake: null, TimeSpan.FromSeconds(10));
        Assert.True(_session.WhenEnded.IsCompletedSuccessfully);
        await _session.CloseFilesAsync();
        _session.Dispose();
        Channel.Dispose();
    }
}
