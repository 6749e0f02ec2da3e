using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Tree;

public sealed class TreeTests
{
    private readonly ByteImages _images = new();

    [Fact]
    public async Task VolumesAreDirectoriesAndVersionsFiles()
    {
        _images.Add("pool/a/disk", new byte[512]);
        _images.Add("pool/b", new byte[512]);
        var root = (await LoadAsync()).Current.Root;
        Assert.Equal(["a", "b.img", "latest.img"], Names(root.Find("pool")!));
        Assert.Equal(["disk.img", "latest.img"], Names(root.Find("pool")!.Find("a")!));
        Assert.Equal(1, root.Find("pool")!.DirectoryCount);
    }

    [Fact]
    public async Task LatestIsTheNewestValidVersion()
    {
        _images.Add("vm/b", new byte[512]);
        _images.Add("vm/a", new byte[512]);
        _images.Add("vm/c", new byte[512], version => version with { Status = VersionStatus.Invalid });
        _images.Add("bad/x", new byte[512], version => version with { Status = VersionStatus.Invalid });
        var root = (await LoadAsync()).Current.Root;
        Assert.Equal("a.img"u8.ToArray(), root.Find("vm")!.Find("latest.img")!.Target);
        Assert.Null(root.Find("bad")!.Find("latest.img"));
        Assert.NotNull(root.Find("bad")!.Find("x.img"));
    }

    [Fact]
    public async Task NumbersAreTheSameInEveryProcessAndNeverUsedAgain()
    {
        var first = _images.Add("vm/a", new byte[512]);
        var before = (await LoadAsync()).Current;
        Assert.Equal(
            before.Nodes.Select(node => (node.Id, node.Name)).Order(),
            (await LoadAsync()).Current.Nodes.Select(node => (node.Id, node.Name)).Order());
        _images.Remove(first);
        _images.Add("vm/a", new byte[512]);
        var after = (await LoadAsync()).Current;
        Assert.NotEqual(Find(before, "vm", "a.img").Id, Find(after, "vm", "a.img").Id);
        Assert.Equal(Find(before, "vm").Id, Find(after, "vm").Id);
        Assert.All(after.Nodes, node => Assert.True(node.Id is NodeIds.Root or >= NodeIds.First and < 1UL << 63));
    }

    [Fact]
    public async Task WhatTheKernelHeardIsGoneComesBackAsAnotherGeneration()
    {
        _images.Add("other/x", new byte[512]);
        var entry = _images.Add("vm/deep/a", new byte[512]);
        var tree = await LoadAsync();
        var other = Find(tree.Current, "other");
        for (var round = 0ul; round < 3; round++)
        {
            foreach (var path in new string[][] { ["vm"], ["vm", "deep"], ["vm", "deep", "latest.img"] })
            {
                Assert.Equal(round, Find(tree.Current, path).Generation);
            }

            var before = Find(tree.Current, "vm", "deep").Id;
            _images.Remove(entry);
            await tree.RefreshAsync(CancellationToken.None);
            entry = _images.Add("vm/deep/a", new byte[512]);
            await tree.RefreshAsync(CancellationToken.None);
            Assert.Equal(before, Find(tree.Current, "vm", "deep").Id);
        }

        Assert.Equal((other.Id, 0ul), (Find(tree.Current, "other").Id, Find(tree.Current, "other").Generation));
    }

    [Fact]
    public async Task WhatCameBackBeforeAnybodyLookedIsTheSame()
    {
        var entry = _images.Add("vm/a", new byte[512]);
        var tree = await LoadAsync();
        _images.Remove(entry);
        _images.Add("vm/a", new byte[512]);
        await tree.RefreshAsync(CancellationToken.None);
        Assert.Equal(0ul, Find(tree.Current, "vm").Generation);
    }

    [Fact]
    public void NumbersThatMeetAreToldApart()
    {
        var ids = new NodeIds(_ => 3);
        var images = Enumerable.Range(0, 100).Select(_ => Guid.NewGuid()).ToArray();
        var numbers = images.Select(ids.OfImage).ToArray();
        Assert.Equal(100, numbers.Distinct().Count());
        Assert.Equal(numbers, images.Select(ids.OfImage));
    }

    [Fact]
    public async Task ChangesNameWhatCameAndWent()
    {
        var gone = _images.Add("old/deep/x", new byte[512]);
        _images.Add("vm/a", new byte[512]);
        var tree = await LoadAsync();
        _images.Remove(gone);
        var added = _images.Add("vm/b", new byte[512]);
        await _images.CreateOverlayAsync(added, "fix", CancellationToken.None);
        var changes = await tree.RefreshAsync(CancellationToken.None);
        Assert.Equal(["deep", "old"], changes.Removed.Where(node => node.Kind == NodeKind.Directory).Select(node => node.Name));
        Assert.Equal(["x.img", "latest.img"], changes.Removed.Take(2).Select(node => node.Name).OrderDescending());
        Assert.Equal(["b.img", "b@fix.img"], changes.Added.Select(node => node.Name).Order());
        Assert.Equal(
            new[] { tree.Current.Root.Id, Find(tree.Current, "vm").Id }.Order(), changes.Directories().Order());
        Assert.Empty((await tree.RefreshAsync(CancellationToken.None)).Added);
    }

    [Fact]
    public async Task OwnChangesAreSeenAtOnceAndToldToNobody()
    {
        var version = _images.Add("vm/a", new byte[512]);
        var tree = await LoadAsync();
        var overlay = await _images.CreateOverlayAsync(version, "fix", CancellationToken.None);
        var node = tree.Add(overlay);
        Assert.Same(node, Find(tree.Current, "vm", "a@fix.img"));
        Assert.Same(node, tree.Add(overlay));
        var changes = await tree.RefreshAsync(CancellationToken.None);
        Assert.Empty(changes.Added);
        await _images.DiscardOverlayAsync(overlay, CancellationToken.None);
        tree.Remove(overlay);
        Assert.Null(Find(tree.Current, "vm").Find("a@fix.img"));
        Assert.Empty((await tree.RefreshAsync(CancellationToken.None)).Removed);
    }

    [Theory]
    [InlineData("a@b.img", "a.img", "b")]
    [InlineData("20261123T024501Z@fix-1.img", "20261123T024501Z.img", "fix-1")]
    [InlineData("a.img", null, null)]
    [InlineData("a@b", null, null)]
    [InlineData("a@.img", null, null)]
    [InlineData("a@b@c.img", null, null)]
    [InlineData("@.img", null, null)]
    [InlineData("", null, null)]
    public void NamesOfOverlaysAreSplit(string name, string? file, string? overlay)
    {
        Assert.Equal(file is not null, FileNames.TrySplit(name, out var baseName, out var overlayName));
        if (file is not null)
        {
            Assert.Equal((file, overlay), (baseName, overlayName));
        }
    }

    [Fact]
    public void AnyNameIsSplitOrNot() => Seeded.Run(random =>
    {
        const string letters = "ab@.img/\0\u00e9";
        for (var round = 0; round < 20_000; round++)
        {
            var name = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => letters[random.Next(letters.Length)]));
            if (FileNames.TrySplit(name, out var baseName, out var overlay))
            {
                Assert.Equal(name, $"{baseName[..^4]}@{overlay}.img");
                Assert.True(Benji.Store.Model.Names.IsOverlay(overlay));
            }
        }
    });

    [Fact]
    public void ModesFollowTheUmask()
    {
        var root = TreeNode.Root();
        var version = new ImageEntry(new VersionRecord
        {
            Id = Guid.NewGuid(),
            Name = new VersionName("vm", "a"),
            Date = DateTimeOffset.UnixEpoch,
            Size = 1,
            BlockSize = 4096,
            Storage = "main",
            Root = PageId.Hole,
            AllocatedBytes = 0,
        });
        var file = root.AddImage(20, "a.img", version);
        var overlay = root.AddImage(
            21, "a@b.img", version with { Overlay = new OverlayEntry(Guid.NewGuid(), "b", DateTimeOffset.UnixEpoch, 0, null) });
        var closed = new NodeAccess(1, 2, 0x3F);
        Assert.Equal((0x41C0U, 0x8100U, 0x8180U), (closed.ModeOf(root), closed.ModeOf(file), closed.ModeOf(overlay)));
        var open = new NodeAccess(1, 2, 0x12);
        Assert.Equal((0x41EDU, 0x8124U, 0x81A4U), (open.ModeOf(root), open.ModeOf(file), open.ModeOf(overlay)));
    }

    private static IEnumerable<string> Names(TreeNode node) => node.Children.ToArray().Select(child => child.Name).Order();

    private static TreeNode Find(TreeSnapshot tree, params string[] path) =>
        path.Aggregate(tree.Root, (node, name) => node.Find(name)!);

    private async Task<ImageTree> LoadAsync()
    {
        var tree = new ImageTree(_images);
        await tree.RefreshAsync(CancellationToken.None);
        return tree;
    }
}
