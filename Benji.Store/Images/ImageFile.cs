namespace Benji.Store.Images;

/// <summary>How the file of an image in a mount is known as what it is: a file of this type of file system that has these
/// attributes. Attributes alone prove nothing, since anybody may copy them.</summary>
public static class ImageFile
{
    /// <summary>The type of the file system of a mount.</summary>
    public const string FileSystem = "fuse.benji";

    /// <summary>The attribute that has <see cref="IImageDirectory.FindStoreIdentity"/>.</summary>
    public const string StoreAttribute = "user.benji.store";

    /// <summary>The attribute that has <see cref="ImageEntry.Id"/>, in 32 digits.</summary>
    public const string IdAttribute = "user.benji.id";
}
