using Benji.Store.Posix;
using Benji.Testing;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Benji.Tests.Posix;

public sealed class SparseFileTests : IDisposable
{
    private const int Unit = 65536;

    private readonly TemporaryDirectory _directory = new();
    private readonly SafeFileHandle _file;

    public SparseFileTests() =>
        _file = PosixFile.Open(
            _directory["sparse"], OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive);

    public void Dispose()
    {
        _file.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void DataAndHolesAreFoundAtTheirEdges()
    {
        PosixFile.Truncate(_file, "sparse", 10 * Unit);
        WriteOnes(2 * Unit, Unit);
        WriteOnes(5 * Unit, 2 * Unit);

        Assert.Equal(2 * Unit, SparseFile.FindData(_file, 0));
        Assert.Equal((2 * Unit) + 7, SparseFile.FindData(_file, (2 * Unit) + 7));
        Assert.Equal(3 * Unit, SparseFile.FindHole(_file, 2 * Unit));
        Assert.Equal(5 * Unit, SparseFile.FindData(_file, 3 * Unit));
        Assert.Equal(7 * Unit, SparseFile.FindHole(_file, 5 * Unit));
        Assert.Equal(-1, SparseFile.FindData(_file, 7 * Unit));
        Assert.Equal(7 * Unit, SparseFile.FindHole(_file, 7 * Unit));
    }

    [Fact]
    public void TheEndOfTheFileIsAHole()
    {
        WriteOnes(0, Unit);
        Assert.Equal(Unit, SparseFile.FindHole(_file, 0));
        Assert.Equal(-1, SparseFile.FindHole(_file, Unit));
        Assert.Equal(-1, SparseFile.FindData(_file, Unit));
        Assert.Equal(-1, SparseFile.FindData(_file, 100L * Unit));
    }

    [Fact]
    public void AnEmptyFileHasNeither()
    {
        Assert.Equal(-1, SparseFile.FindData(_file, 0));
        Assert.Equal(-1, SparseFile.FindHole(_file, 0));
    }

    [Fact]
    public void APunchedHoleReadsAsZerosAndKeepsTheSize()
    {
        WriteOnes(0, 4 * Unit);
        Assert.True(SparseFile.PunchHole(_file, Unit, Unit));
        Assert.Equal(4 * Unit, RandomAccess.GetLength(_file));
        Assert.Equal([.. Ones(Unit), .. new byte[Unit], .. Ones(2 * Unit)], ReadAll());
        Assert.Equal(Unit, SparseFile.FindHole(_file, 0));
        Assert.Equal(2 * Unit, SparseFile.FindData(_file, Unit));
    }

    [Fact]
    public void APunchOfPartsOfUnitsZeroesExactlyThem()
    {
        WriteOnes(0, Unit);
        Assert.True(SparseFile.PunchHole(_file, 100, 20_000));
        Assert.Equal([.. Ones(100), .. new byte[20_000], .. Ones(Unit - 20_100)], ReadAll());
    }

    [Fact]
    public void AZeroedRangeReadsAsZerosAndKeepsTheSize()
    {
        WriteOnes(0, Unit);
        if (!SparseFile.ZeroRange(_file, 4096, 8192))
        {
            // What a file system cannot do it leaves alone.
            Assert.Equal(Ones(Unit), ReadAll());
            return;
        }

        Assert.Equal([.. Ones(4096), .. new byte[8192], .. Ones(Unit - 12_288)], ReadAll());
    }

    [Fact]
    public void AFileThatIsNotOpenForWritingCannotBePunched()
    {
        WriteOnes(0, Unit);
        using var reader = PosixFile.Open(_directory["sparse"], OpenFlags.Read);
        Assert.Throws<PosixException>(() => SparseFile.PunchHole(reader, 0, Unit));
    }

    private static byte[] Ones(int length) => [.. Enumerable.Repeat((byte)1, length)];

    private void WriteOnes(long offset, int length) => PosixFile.Write(_file, "sparse", offset, Ones(length));

    private byte[] ReadAll()
    {
        var bytes = new byte[RandomAccess.GetLength(_file)];
        Assert.Equal(bytes.Length, PosixFile.Read(_file, "sparse", 0, bytes));
        return bytes;
    }
}
