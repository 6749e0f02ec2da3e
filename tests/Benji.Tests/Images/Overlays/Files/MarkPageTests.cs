using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

public sealed class MarkPageTests
{
    private const int Units = OverlayLayout.PageUnits;

    [Fact]
    public void MarksAreWhatTheyWereSetTo() => Seeded.Run(random =>
    {
        var page = new MarkPage();
        var model = new UnitState[Units];
        for (var step = 0; step < 300; step++)
        {
            var (first, count) = NextRun(random);
            var state = (UnitState)random.Next(3);
            var changes = model.AsSpan(first, count).ContainsAnyExcept(state);
            page.IsChanged = false;
            page.Set(first, count, state);
            model.AsSpan(first, count).Fill(state);
            Assert.Equal(changes, page.IsChanged);
            Assert.Equal(model.Count(each => each != UnitState.Base), page.DirtyUnits);
            CheckRuns(page, model);

            var bytes = new byte[OverlayLayout.UnitSize];
            page.CopyTo(bytes);
            page = MarkPage.Parse(bytes, Units)!;
        }
    });

    [Fact]
    public void APageStandsAsTheFormatSays()
    {
        var page = new MarkPage();
        page.Set(1, 1, UnitState.Data);
        page.Set(3, 2, UnitState.Zero);
        var bytes = new byte[OverlayLayout.UnitSize];
        page.CopyTo(bytes);
        Assert.Equal([0b10_00_01_00, 0b00_00_00_10, 0], bytes[..3]);
    }

    [Fact]
    public void AnyBytesParseToThemselvesOrAreRefused() => Seeded.Run(random =>
    {
        var (parsed, refused) = (0, 0);
        for (var round = 0; round < 500; round++)
        {
            var units = random.Next(1, Units + 1);
            var page = new MarkPage();
            var count = random.Next(1, units + 1);
            page.Set(random.Next(units - count + 1), count, (UnitState)random.Next(3));
            var bytes = new byte[OverlayLayout.UnitSize];
            page.CopyTo(bytes);
            if (random.Next(2) == 0)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }

            var isSound = Enumerable.Range(0, Units).All(unit =>
                ((bytes[unit / 4] >> (unit % 4 * 2)) & 3) is var mark && mark < 3 && (mark == 0 || unit < units));
            var found = MarkPage.Parse(bytes, units);
            Assert.Equal(isSound, found is not null);
            if (found is not null)
            {
                parsed++;
                var again = new byte[bytes.Length];
                found.CopyTo(again);
                Assert.Equal(bytes, again);
            }
            else
            {
                refused++;
            }
        }

        Assert.True(parsed > 0 && refused > 0);
    });

    private static (int First, int Count) NextRun(Random random)
    {
        if (random.Next(4) == 0)
        {
            return (0, Units);
        }

        var count = random.Next(2) == 0 ? random.Next(1, 100) : random.Next(1, Units + 1);
        return (random.Next(Units - count + 1), count);
    }

    private static void CheckRuns(MarkPage page, UnitState[] model)
    {
        for (var unit = 0; unit < Units;)
        {
            var end = page.FindRunEnd(unit, Units, out var state);
            Assert.Equal(state, page.Get(unit));
            Assert.False(model.AsSpan(unit, end - unit).ContainsAnyExcept(state));
            Assert.True(end == Units || model[end] != state);
            unit = end;
        }
    }
}
