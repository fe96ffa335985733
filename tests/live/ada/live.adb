with Ada.Strings.Fixed;
with Ada.Strings.Unbounded;
with Ada.Text_IO;

with Agent_Test_Nasty_V1;
with Rtt_Json;
with Rtt_Runtime;

procedure Live is
   use Ada.Strings.Fixed;
   use Agent_Test_Nasty_V1;
   use Rtt_Json;

   procedure Say (Line : String) renames Ada.Text_IO.Put_Line;

   function Shown (Number : Long_Long_Integer) return String is (Trim (Number'Image, Ada.Strings.Both));

   Nasty : Client;

   procedure Show_Depth is
      Leaf, Twig : Json := Empty_Object;
      Twigs, Top : Json := Empty_Array;
   begin
      Leaf.Set ("value", To_Json ("leaf"));
      Leaf.Set ("children", Empty_Array);
      Twigs.Append (Leaf);
      Twig.Set ("value", To_Json ("twig"));
      Twig.Set ("children", Twigs);
      Top.Append (Twig);
      Top.Append (Leaf);
      declare
         Found : constant Agent_Test_Nasty_V1_Depth_Result :=
           Nasty.Depth (Tree => Create (Value => "root", Children => Top));
      begin
         Say ("depth " & Shown (Found.Depth) & " " & Found.Deepest.Value);
      end;
   end Show_Depth;

   procedure Show_Failure is
      Ignored : Json;
   begin
      Ignored := Nasty.Fail;
   exception
      when Rtt_Runtime.Remote_Error =>
         Say
           ("remote " & Shown (Nasty.Last_Error.Code) & " "
            & Ada.Strings.Unbounded.To_String (Nasty.Last_Error.Message));
   end Show_Failure;

   procedure Show_Timeout is
      Ignored : Json;
   begin
      Nasty.Set_Timeout (0.3);
      Ignored := Nasty.Slow;
   exception
      when Rtt_Runtime.Timeout_Error =>
         Say ("timeout");
         Nasty.Set_Timeout (20.0);
   end Show_Timeout;

   procedure Refuse (Method, Name : String; Params : Json := Absent) is
      Ignored : Json;
   begin
      Ignored := Nasty.Call (Method, Params);
   exception
      when Rtt_Runtime.Protocol_Error =>
         Say (Name & " refused");
   end Refuse;

   procedure Show_Failover is
      Ignored : Json;
   begin
      Ignored := Nasty.Shut_Down;
   exception
      when Rtt_Runtime.Protocol_Error =>
         declare
            Text : constant String := Nasty.Echo_Text (Text => "again");
         begin
            Say ("failover " & Nasty.Instance & " " & Text);
         end;
   end Show_Failover;

   procedure Show_No_Route is
   begin
      Nasty.Open (Agent => "a.nobody");
   exception
      when Rtt_Runtime.No_Route_Error =>
         Say ("no route");
   end Show_No_Route;

   Wrong : Json := Empty_Object;

begin
   Nasty.Open (Agent => "a.live", Timeout => 20.0);
   Say ("instance " & Nasty.Instance);
   Say ("text " & Nasty.Echo_Text (Text => "naïve ☃ 𝄞 ""quoted"" \ end"));
   Say ("integer " & Shown (Nasty.Echo_Integer (Number => 9_007_199_254_740_991)));
   Show_Depth;
   Say ("keywords " & Nasty.Class (Import => "word", End_Ada => Given (True)).Return_Ada);
   Say ("empty " & Nasty.Ping_Empty);
   Say ("large " & Shown (Long_Long_Integer (String'(Nasty.Echo_Text (Text => 1_048_576 * 'x'))'Length)));
   Show_Failure;
   Show_Timeout;
   Refuse ("wrong_id", "wrong id");
   Refuse ("garbage", "garbage");
   Refuse ("half_line", "half a line");
   Wrong.Set ("text", To_Json (Long_Long_Integer'(7)));
   Refuse ("echo_text", "wrong type", Wrong);
   if Nasty.Health then
      Say ("healthy");
   end if;
   Show_Failover;
   Nasty.Close;
   Show_No_Route;
end Live;
