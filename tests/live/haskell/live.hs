{-# LANGUAGE DuplicateRecordFields #-}
{-# LANGUAGE OverloadedStrings #-}

module Main (main) where

import AgentTestNastyV1 as Nasty
import Control.Exception (throwIO, try)
import Control.Monad (forM_, when)
import Data.Aeson (Value (Null), object, (.=))
import qualified Data.Text as Text
import qualified Data.Text.IO as Text
import RttRuntime (Options (..), RttError (..), defaults)

-- | Prints a line if an operation fails as expected.
refused :: (RttError -> Maybe Text.Text) -> IO a -> IO ()
refused expected operation = do
  outcome <- try operation
  case outcome of
    Left failure | Just line <- expected failure -> Text.putStr line
    Left failure -> throwIO failure
    Right _ -> pure ()

protocolError :: Text.Text -> RttError -> Maybe Text.Text
protocolError line ProtocolError {} = Just line
protocolError _ _ = Nothing

main :: IO ()
main = do
  nasty <- Nasty.open defaults {optionAgent = Just "a.live", optionTimeout = Just 20}
  let say = Text.putStrLn . Text.unwords
      number = Text.pack . show
      echo text = Nasty.echoText nasty (AgentTestNastyV1EchoTextParams text)
  Nasty.instanceOf nasty >>= \name -> say ["instance", name]
  echo "naïve ☃ 𝄞 \"quoted\" \\ end" >>= \text -> say ["text", text]
  Nasty.echoInteger nasty (AgentTestNastyV1EchoIntegerParams 9007199254740991) >>= \found -> say ["integer", number found]
  let leaf = object ["value" .= Text.pack "leaf"]
      twig = object ["value" .= Text.pack "twig", "children" .= [leaf]]
      tree = AgentTestNastyV1DepthParamsTree {_value = "root", _children = Just [twig, leaf]}
  AgentTestNastyV1DepthResult depth (AgentTestNastyV1DepthResultDeepest deepest) <- Nasty.depth nasty (AgentTestNastyV1DepthParams tree)
  say ["depth", number depth, deepest]
  word <- Nasty.class_ nasty (AgentTestNastyV1ClassParams "word" (Just True) Nothing Nothing)
  say ["keywords", _return word]
  Nasty.pingEmpty nasty Null >>= \pong -> say ["empty", pong]
  echo (Text.replicate 1048576 "x") >>= \large -> say ["large", number (Text.length large)]
  flip refused (Nasty.fail nasty Null) $ \failure -> case failure of
    RemoteError {} -> Just (Text.unwords ["remote", number (errorCode failure), errorReason failure] <> "\n")
    _ -> Nothing
  flip refused (Nasty.slow (Nasty.withTimeout 0.3 nasty) Null) $ \failure -> case failure of
    CallTimeout {} -> Just "timeout\n"
    _ -> Nothing
  forM_ [("wrong_id", "wrong id"), ("garbage", "garbage"), ("half_line", "half a line")] $ \(name, shown) ->
    refused (protocolError (shown <> " refused\n")) (Nasty.call nasty name Null)
  refused (protocolError "wrong type refused\n") (Nasty.call nasty "echo_text" (object ["text" .= (7 :: Int)]))
  Nasty.health nasty >>= \healthy -> when healthy (say ["healthy"])
  refused (protocolError "failover ") (Nasty.shutDown nasty Null)
  again <- echo "again"
  Nasty.instanceOf nasty >>= \name -> say [name, again]
  Nasty.close nasty
  flip refused (Nasty.open defaults {optionAgent = Just "a.nobody"}) $ \failure -> case failure of
    NoRoute {} -> Just "no route\n"
    _ -> Nothing
