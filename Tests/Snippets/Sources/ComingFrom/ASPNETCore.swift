import Hummingbird
import PerRequest

// snippet ComingFrom.md: ASP.NET Core
