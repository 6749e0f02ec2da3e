using System.Globalization;
using Benji.Bench;
using Benji.Store.Model;

// What scripts/bench cannot measure from outside the program; each verb prints one JSON object of seconds.
try
{
    switch (args)
    {
        case ["lanes"]:
            StageCosts.PrintLanes();
            return 0;
        case ["stages", var image]:
            await StageCosts.PrintAsync(image);
            return 0;
        case ["fill", var home, var tebibytes]:
            await SimulatedStore.FillAsync(home, int.Parse(tebibytes, CultureInfo.InvariantCulture));
            return 0;
        case ["map", var home, var tebibytes, var content]:
            await SimulatedStore.MapAsync(home, int.Parse(tebibytes, CultureInfo.InvariantCulture), content);
            return 0;
        case ["change", var home]:
            await SimulatedStore.ChangeAsync(home);
            return 0;
        case ["promote", var home]:
            await PromoteCosts.PrintAsync(home);
            return 0;
        case ["versions", var home, var count]:
            await SimulatedVersions.AddAsync(home, int.Parse(count, CultureInfo.InvariantCulture));
            return 0;
        default:
            await Console.Error.WriteLineAsync(
                "usage: Benji.Bench lanes | stages IMAGE | fill HOME TEBIBYTES | map HOME TEBIBYTES VOLUME | change HOME | "
                + "promote HOME | versions HOME COUNT");
            return 64;
    }
}
catch (BenjiException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 66;
}
